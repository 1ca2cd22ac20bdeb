import { actionUrl } from '../links.ts';
import type { ActionRow } from '../records/action.ts';
import { BUTTON, VALUE } from './blocks/buttons.ts';
import { LIMITS } from './blocks/limits.ts';
import { actions, button, context, type KnownBlock, type SlackMessage, section } from './blocks/message.ts';
import { cut, inline, link } from './blocks/mrkdwn.ts';

const LISTED_MAX = 20;
const LINES_A_SECTION = 5;
const SUMMARY_MAX = 200;
const MINUTE_MS = 60_000;

/** What a digest message speaks of, as it is now. */
export interface DigestFacts {
  agent: string;
  /** What still waits, oldest first. */
  waiting: readonly Pick<ActionRow, 'id' | 'summary' | 'asked_at'>[];
  /** What was listed and waits no more. */
  answered: number;
  now: Date;
  publicUrl: string;
}

/** The low risks of an agent that wait, together: each with its age and its page, and one button to answer them. */
export function digestCard(facts: DigestFacts): SlackMessage {
  const { agent, waiting, answered, publicUrl } = facts;
  const who = `agent ${inline(agent, 80)}`;
  const headline =
    waiting.length === 0
      ? `All ${answered} low-risk requests of ${who} that stood here are answered`
      : `${waiting.length} low-risk ${waiting.length === 1 ? 'request' : 'requests'} of ${who} ${waiting.length === 1 ? 'waits' : 'wait'} for an answer`;
  const lines = waiting.slice(0, LISTED_MAX).map((action) => lineOf(action, facts));
  const more = waiting.length - lines.length;
  const queue = link(`${publicUrl.replace(/\/+$/, '')}/queue`, 'the queue page');
  const last = [
    ...(more > 0 ? [`and ${more} more, on ${queue}`] : []),
    ...(answered > 0 && waiting.length > 0 ? [`${answered} that stood here wait no more`] : []),
  ];
  const blocks: KnownBlock[] = [
    section('first', `*${headline}*`),
    ...sections(lines),
    ...(waiting.length > 0
      ? [
          actions('buttons', [
            button(BUTTON.digestAnswer, 'Answer them', {
              value: VALUE.digest.encode({ agent }),
              style: 'primary',
            }),
          ]),
        ]
      : []),
    ...(last.length > 0 ? [context('last', last)] : []),
  ];
  return { text: cut([headline, ...lines, ...last].join('\n'), LIMITS.text), blocks };
}

function lineOf(
  { id, summary, asked_at }: DigestFacts['waiting'][number],
  { publicUrl, now }: DigestFacts,
): string {
  return `• ${inline(summary, SUMMARY_MAX)}, asked ${ageText(asked_at, now)} · ${link(actionUrl(publicUrl, id), 'open')}`;
}

/** How long ago, by the reader's clock; the fallback is as of the post. */
function ageText(at: Date, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - at.getTime()) / MINUTE_MS));
  return `<!date^${Math.floor(at.getTime() / 1_000)}^{ago}|${minutes} min ago>`;
}

function sections(lines: readonly string[]): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  for (let at = 0; at < lines.length; at += LINES_A_SECTION)
    blocks.push(section(`list${at / LINES_A_SECTION}`, lines.slice(at, at + LINES_A_SECTION).join('\n')));
  return blocks;
}
