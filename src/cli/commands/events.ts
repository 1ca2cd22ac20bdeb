import type { PortcullisEvent } from '../../events/event.ts';
import { followEvents } from '../../events/follow.ts';
import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { wholeId } from '../ids.ts';
import { formatTime } from '../text/format.ts';
import { shortId } from '../text/ids.ts';
import { displayWidth, plain } from '../text/render.ts';

const KIND_WIDTH = 17;
const ID_WIDTH = 8;

/** `portcullis events`. */
export const registerEvents: RegisterCommands = (program, cli) => {
  const events = program
    .command('events')
    .summary('what happens, as it happens')
    .description(
      'Follows what happens: one line an event, from now on or after a known one, through lost connections. A line is cut to the width of the terminal; with --output json each line is one whole event. Reasons and people are shown to those who may read the log.',
    )
    .option('--agent <agent>', 'only what concerns this agent')
    .option('--action <id>', 'only about this action')
    .option('--kinds <kinds>', 'only these kinds or first words: action.denied,switch')
    .option('--after <seq>', 'begin after the event of this number; 0: with the first')
    .action((options: EventsOptions) => runEvents(cli, options));
  withExample(
    events,
    'portcullis events --agent my-agent',
    'portcullis events --kinds action.denied,action.expired --after 0 --output json',
  );
};

interface EventsOptions {
  agent?: string;
  action?: string;
  kinds?: string;
  after?: string;
}

async function runEvents(cli: Cli, { agent, action, kinds, after }: EventsOptions): Promise<void> {
  const about = action === undefined ? undefined : await wholeId(cli, 'action', action);
  const events = followEvents({
    open: (lastEventId, signal) =>
      cli.api.follow('/v1/events', {
        query: { agent, action: about, kinds },
        headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
        signal,
      }),
    isFinal: (error) => error instanceof CliError && ['usage', 'not-allowed'].includes(error.exit),
    after: after === undefined ? undefined : wholeNumber('--after', after, 0),
    signal: cli.io.interrupted(),
    onLost: () => cli.note('The connection is lost, connecting again: nothing is missed'),
  });
  let last: number | undefined;
  for await (const event of events) {
    cli.io.out(`${cli.json ? JSON.stringify(event) : eventLine(event, cli.io.columns, cli.io.now())}\n`);
    last = event.seq;
  }
  if (last !== undefined) cli.note(`To go on from here: portcullis events --after ${last}`);
}

/** `12:00:05 action.approved   0193a7c4-5e2f  desk by ana: "fine"`, on one line whatever it holds. */
export function eventLine(event: PortcullisEvent, width: number, now: Date): string {
  const { at, kind, agent, action, ref, actor, state, data } = event;
  const about = shortId(action ?? (ref === undefined || ref === agent ? '' : ref));
  const told = [
    timeOf(at, now),
    kind.padEnd(KIND_WIDTH),
    about.padEnd(ID_WIDTH),
    kind === 'action.asked' ? state : undefined,
    agent,
    actor && actor !== agent ? `by ${actor}` : undefined,
  ];
  const why = typeof data?.reason === 'string' ? `: "${data.reason}"` : '';
  const line = `${told.filter((part) => part !== undefined).join(' ')}${why}`;
  return cut(plain(line).replaceAll('\n', ' '), width);
}

/** The time of day, or the day of what is older. */
function timeOf(at: string, now: Date): string {
  const [day, time] = formatTime(at).split(' ');
  return (day === formatTime(now).split(' ')[0] ? time : day?.slice(2)) ?? at;
}

function cut(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  let kept = '';
  for (const character of line) {
    if (displayWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
