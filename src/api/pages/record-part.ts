import type { ActionView } from '../../actions/action-view.ts';
import { isStopped } from '../../domain/action.ts';
import { ROUTED_WORDS } from '../../domain/words.ts';
import type { AskedPerson } from '../../reaching/asked.ts';
import type { ActionDetail } from '../action-detail.ts';
import { type Html, html } from './html.ts';
import { timeWords, WAY_WORDS } from './words.ts';

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
  const stopped = isStopped(state);
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

/** Who is asked, how they know of it and since when; once it is over, who was told. */
export function askedPart(
  { state, decisions, approval }: ActionView,
  { asked = [] }: ActionDetail,
  now: Date,
): Html | undefined {
  const waits = state === 'pending';
  const listed = waits ? asked : asked.filter(({ told }) => told.length > 0);
  if (listed.length === 0) return undefined;
  const answered = decisions.filter(({ round }) => round === approval?.round).map(({ person }) => person);
  return html`<h2>${waits ? 'Who is asked' : 'Who was asked'}</h2>
<ul>${listed.map((one) => {
    const facts = askedFacts(one, waits, answered.includes(one.person));
    return html`<li>${one.person} <span class="meta">${facts.join(', ')}${one.at && `, ${timeWords(one.at, now)}`}</span></li>`;
  })}</ul>`;
}

function askedFacts({ groups, because, told }: AskedPerson, waits: boolean, answered: boolean): string[] {
  const by = groups.length > 0 ? `of ${groups.join(', ')}` : waits && 'may not answer any more';
  const how =
    told.length > 0 ? `told ${told.map((way) => WAY_WORDS[way]).join(' and ')}` : !answered && 'not told yet';
  return [
    by,
    answered && 'has answered',
    because !== 'asked' && `because ${ROUTED_WORDS[because]}`,
    how,
  ].filter((fact) => typeof fact === 'string');
}
