import type { ActionView } from '../../actions/view.ts';
import type { ActionDetail } from '../action-detail.ts';
import { type Html, html } from './html.ts';
import { ROUTED_WORDS, timeWords, WAY_WORDS } from './words.ts';

interface Happened {
  at: string;
  text: string;
}

/** What people said and what came of it, in the order in which it happened. */
export function historyOf(view: ActionView, now: Date): Html {
  const lines = [...answersOf(view), ...afterwardsOf(view)].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : 0,
  );
  if (lines.length === 0) return html`<h2>What happened</h2><p>Nobody has decided yet.</p>`;
  return html`<h2>What happened</h2>
<ul>${lines.map(({ at, text }) => html`<li>${text} <span class="meta">${timeWords(at, now)}</span></li>`)}</ul>`;
}

const quoted = (words: string | undefined): string => (words ? `: ${words}` : '');

function answersOf({ decisions, edits, approval, breakGlass, decidedAt }: ActionView): Happened[] {
  const round = approval?.round ?? 0;
  return [
    ...decisions.map((one) => {
      const who = `${one.person}${one.for ? ` for ${one.for}` : ''}`;
      const early = one.round < round ? ' (of earlier arguments: does not count)' : '';
      return { at: one.at, text: `${who} said ${one.verdict} by ${one.via}${quoted(one.reason)}${early}` };
    }),
    ...edits.map(({ person, via, at, reason }) => ({
      at,
      text: `${person} changed the arguments by ${via}${quoted(reason)}`,
    })),
    ...(breakGlass && decidedAt
      ? [{ at: decidedAt, text: 'Approved by one person ALONE: the glass was broken' }]
      : []),
    ...(breakGlass?.reviewed
      ? [
          {
            at: breakGlass.reviewed.at,
            text: `${breakGlass.reviewed.person} found that ${breakGlass.reviewed.justified ? 'justified' : 'NOT justified'}${quoted(breakGlass.reviewed.note)}`,
          },
        ]
      : []),
  ];
}

function afterwardsOf({ execution, correction, state }: ActionView): Happened[] {
  const stopped = state === 'denied' || state === 'expired';
  return [
    ...(execution ? [{ at: execution.beganAt, text: `Begun as ${execution.executionId}` }] : []),
    ...(execution?.completedAt
      ? [
          {
            at: execution.completedAt,
            text: execution.error ? `Failed with ${execution.error}` : 'Completed',
          },
        ]
      : []),
    ...(correction
      ? [
          {
            at: correction.at,
            text: `${stopped ? 'Reported as right, and wrongly stopped,' : 'Reported as wrong'} by ${correction.person}${quoted(correction.reason)}`,
          },
        ]
      : []),
  ];
}

/** Where it stands in the queue: "2 ahead of it". */
export const queueWords = ({ queue }: ActionDetail): string | undefined =>
  queue && (queue.ahead === 0 ? 'Next: nothing waits for longer' : `${queue.ahead} ahead of it`);

/** Who is asked now, how they know of it and since when. */
export function askedPart({ asked = [] }: ActionDetail, now: Date): Html | undefined {
  if (asked.length === 0) return undefined;
  return html`<h2>Who is asked</h2>
<ul>${asked.map(({ person, groups, because, told, at }) => {
    const by = groups.length > 0 ? `of ${groups.join(', ')}` : 'may not answer any more';
    const how = told.length > 0 ? `told ${told.map((way) => WAY_WORDS[way]).join(', ')}` : 'not told yet';
    const why = ROUTED_WORDS[because];
    return html`<li>${person} <span class="meta">${[by, why, how].filter(Boolean).join(', ')}${at && `, ${timeWords(at, now)}`}</span></li>`;
  })}</ul>`;
}
