import { type Command, Option } from 'commander';
import { EVIDENCE, type Evidence } from '../../rollouts/evidence-choice.ts';
import type { RolloutVerb } from '../../rollouts/verb.ts';
import { type Cli, collect, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { findRollout } from '../find-rollout.ts';
import { paragraph } from '../text/render.ts';
import { rolloutsText, rolloutText } from '../text/rollout-text.ts';
import { type Shown, watchChanges } from '../watch.ts';
import type { RolloutSummary, WireVerb } from '../wire.ts';
import { registerExplain } from './explain-rollout.ts';
import { registerInitRollout } from './init-rollout.ts';
import { registerReport } from './report-rollout.ts';
import { registerSimulate } from './simulate-rollout.ts';
import { registerStart } from './start-rollout.ts';

interface VerbSpec {
  verb: RolloutVerb;
  /** A reason somebody might give. */
  example: string;
  summary: string;
  description: string;
  segment?: 'optional' | 'required';
}

const VERBS: readonly VerbSpec[] = [
  {
    verb: 'pause',
    example: 'Nobody is here next week',
    summary: 'hold it',
    description: 'Exposure stays, step time stands still, judging goes on.',
  },
  {
    verb: 'resume',
    example: 'Everybody is back',
    summary: 'let it go on',
    description: 'Goes on after a pause, or with a new agent version.',
  },
  {
    verb: 'advance',
    example: 'The sample is large enough',
    summary: 'leave the step before its time is over',
    description: 'Ends the time of the step. Sample, verdicts and checklist must hold.',
  },
  {
    verb: 'approve-gate',
    example: 'Looked at the denials',
    summary: 'approve that it leaves its step',
    description: 'The last thing a step waits for: everything else must hold.',
  },
  {
    verb: 'reject-gate',
    example: 'Two guests complained',
    summary: 'refuse that it leaves its step',
    description: 'The rollout is paused.',
  },
  {
    verb: 'rollback',
    example: 'Guests complain',
    summary: 'take it back, in one segment or everywhere',
    description:
      'Takes the release back at once: with a segment there, without one everywhere, which ends the rollout.',
    segment: 'optional',
  },
  {
    verb: 'reenter',
    example: 'The address book is mended',
    summary: 'expose a rolled-back segment again',
    description:
      'Only a person opens a rolled-back segment again: as far as the present step says, or from an earlier step that was good, of which the rollout then takes every step again.',
    segment: 'required',
  },
  {
    verb: 'exclude',
    example: 'It keeps the old release',
    summary: 'leave a rolled-back segment out for good',
    description: 'The segment keeps the old release and no longer holds up the others.',
    segment: 'required',
  },
  {
    verb: 'accept-arms',
    example: 'Until Monday the candidate could not read bookings; that is mended',
    summary: 'let a segment widen whose arms are not as assigned',
    description:
      'Once it is known why the subjects of a segment do not split as they are assigned, an owner accepts that they did: it may widen again. Who is new from then on is counted and compared anew, so it is found again if it goes on.',
    segment: 'required',
  },
  {
    verb: 'ease',
    example: 'Two weeks of answers, none of them a denial',
    summary: 'let a segment be as the step says again',
    description:
      'What evidence short of a breach did in a segment ("early" of a guardrail) is taken back: it asks and is exposed as its grants and the step say.',
    segment: 'required',
  },
];

/** `portcullis rollout`. */
export const registerRollout: RegisterCommands = (program, cli) => {
  const rollout = program.command('rollout').summary('carry a release to everyone, step by step');
  rollout.description('A rollout carries a release to everyone in 90 days; a breach takes it back.');
  registerStart(rollout, cli);
  const status = rollout
    .command('status')
    .summary('where it is, what it waits for and why')
    .description('Shows one rollout, the one of an agent, or lists them all.')
    .option('--watch', 'go on, and show it again whenever it changes')
    .argument('[rollout]', 'the agent, or an id or a unique part of it')
    .action(async (which: string | undefined, { watch }: { watch?: boolean }) => {
      if (watch) return watchChanges(cli, () => statusOf(cli, which));
      const { data, text } = await statusOf(cli, which);
      cli.print(data, text);
    });
  withExample(status, 'portcullis rollout status my-agent', 'portcullis rollout status my-agent --watch');
  registerInitRollout(rollout, cli);
  registerSimulate(rollout, cli);
  registerExplain(rollout, cli);
  registerReport(rollout, cli);
  for (const spec of VERBS) registerVerb(rollout, cli, spec);
};

interface VerbOptions {
  reason: string;
  segment?: string;
  evidence?: Evidence;
  fromStep?: string;
  confirm?: string[];
}

const segmentOption = (required: boolean): Option =>
  new Option('--segment <segment>', required ? 'the segment' : 'only there').makeOptionMandatory(required);

function registerVerb(
  rollout: Command,
  cli: Cli,
  { verb, example, summary, description, segment }: VerbSpec,
): void {
  const command = rollout
    .command(verb)
    .summary(summary)
    .description(description)
    .argument('<rollout>', 'the agent, or an id or a unique part of it')
    .requiredOption('--reason <text>', 'why; it is kept in the log');
  if (segment) command.addOption(segmentOption(segment === 'required'));
  const checks = verb === 'approve-gate' || verb === 'advance';
  if (checks)
    command.option('--confirm <check>', 'a check of the list that you made, may be repeated', collect);
  if (verb === 'resume')
    command.addOption(
      new Option(
        '--evidence <what>',
        'with a new agent version: the sample of the gates begins anew, or goes on',
      )
        .choices(EVIDENCE)
        .default(undefined, 'anew'),
    );
  if (verb === 'reenter')
    command.option('--from-step <n>', 'from an earlier step of the plan on (default: as the present one)');
  command.action(async (which: string, { confirm, fromStep, ...input }: VerbOptions) => {
    const from = fromStep === undefined ? {} : { fromStep: wholeNumber('--from-step', fromStep) };
    const { id } = await findRollout(cli, which, verb === 'rollback' ? canRollBack : undefined);
    const answer = await steer(cli, id, verb, { ...input, ...from, checklist: confirm });
    cli.print(answer, () =>
      paragraph(answer.changed ? `${answer.detail}.` : `Nothing changed: ${answer.detail}.`),
    );
  });
  withExample(
    command,
    `portcullis rollout ${verb} my-agent${segment ? ' --segment gold' : ''} --reason "${example}"`,
  );
}

const canRollBack = (rollout: RolloutSummary): boolean => rollout.canRollBack;

interface VerbInput {
  reason: string;
  segment?: string;
  fromStep?: number;
  checklist?: string[];
  evidence?: Evidence;
}

/** Where a checklist is missing, and somebody is there, each check is asked. */
async function steer(cli: Cli, id: string, verb: RolloutVerb, input: VerbInput): Promise<WireVerb> {
  const path = `/v1/rollouts/${encodeURIComponent(id)}/${verb}`;
  try {
    return await cli.api.post<WireVerb>(path, input);
  } catch (error) {
    if (!(error instanceof CliError) || !Array.isArray(error.details.checklist)) throw error;
    const list = error.details.checklist.map(String);
    if (cli.io.interactive && (await confirmAll(cli, list))) {
      return cli.api.post<WireVerb>(path, { ...input, checklist: list });
    }
    throw new CliError(error.exit, error.message, {
      hint: `Add ${list.map((check) => `--confirm "${check}"`).join(' ')}`,
      code: error.code,
      details: error.details,
    });
  }
}

async function confirmAll(cli: Cli, checks: readonly string[]): Promise<boolean> {
  for (const check of checks) if (!(await cli.io.confirm(`Checked: ${check}?`))) return false;
  return true;
}

async function statusOf(cli: Cli, which: string | undefined): Promise<Shown> {
  const { columns } = cli.io;
  if (which === undefined) {
    const data = await cli.api.get<{ rollouts: RolloutSummary[] }>('/v1/rollouts');
    return { data, text: () => rolloutsText(data.rollouts, columns) };
  }
  const data = await findRollout(cli, which);
  return { data, text: () => rolloutText(data, columns) };
}
