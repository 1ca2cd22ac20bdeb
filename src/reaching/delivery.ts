import type { Way } from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';
import type { Reachable } from './reachable.ts';
import type { Found } from './record-reach.ts';

/** Failures are not told to on-call before they have lasted this long. */
export const TOLD_WITHIN_MS = 60_000;
const NAMED_MAX = 5;

/** How far a question has come to people. */
export interface Outcome {
  told: Readonly<Record<string, readonly Way[]>>;
  /** When people are told. */
  due?: Date | undefined;
  /** When to look again. */
  next?: Date | undefined;
  /** What is refused, in words; `forGood`: until people mend it. */
  problem?: { text: string; forGood: boolean } | undefined;
  /** The agent's digest tells of it. */
  digest?: boolean | undefined;
}

/** What is to be written down about reaching people, and whether on-call must know. */
export function foundOf(
  { reach }: Pick<ActionRow, 'reach'>,
  reachable: Reachable,
  { told, due: dueAt, problem, digest }: Outcome,
  now: Date,
): Found {
  const due = { ...(dueAt ? { postAt: dueAt.toISOString() } : {}), ...(digest ? { joinsDigest: true } : {}) };
  if (Object.keys(told).length > 0) {
    if (reachable.possible) return { state: 'delivered', told, ...problemOf(shortage(reachable)) };
    return { state: 'delivered', told, ...problemOf(absence(reachable)), alert: 'action.unreached' };
  }
  if (reachable.now === 'nobody')
    return { state: 'unreached', told, ...due, ...problemOf(absence(reachable)), alert: 'action.unreached' };
  const before = reach?.state === 'undelivered' ? reach : undefined;
  if (!problem)
    return before
      ? { state: 'undelivered', told, ...due, ...problemOf(before.problem) }
      : { state: 'queued', told, ...due };
  const sinceMs = reach?.problem ? Date.parse(reach.at) : now.getTime();
  if (!problem.forGood && !before && now.getTime() - sinceMs < TOLD_WITHIN_MS)
    return { state: 'queued', told, ...due, problem: problem.text };
  // No digest: told alone from now on, and only when that fails too is on-call told.
  if (digest) return { state: 'undelivered', told, problem: problem.text };
  return { state: 'undelivered', told, ...due, problem: problem.text, alert: 'action.undelivered' };
}

const problemOf = (problem: string | undefined) => (problem ? { problem } : {});

/** People come later; until then the stage cannot be completed. */
const shortage = (reachable: Reachable): string | undefined =>
  reachable.now === 'enough' ? undefined : `too few can be reached now: ${whoIsAway(reachable)}`;

/** Nobody can be told, or all who may answer are too few. */
function absence(reachable: Reachable): string {
  const { candidates, stale } = reachable;
  const unread = stale.map((group) => `the members of "${group}" could not be read for too long`);
  const away =
    candidates.length === 0 ? 'nobody of the groups that are asked may answer' : whoIsAway(reachable);
  const few = reachable.possible ? [] : ['all who may answer are too few'];
  return [...few, ...unread, ...(away ? [away] : [])].join('; ');
}

function whoIsAway({ candidates }: Reachable): string {
  const away = candidates.flatMap(({ person, presence, opensAtMs }) => {
    if (presence === 'inactive') return [`${person} is deactivated in Slack`];
    if (opensAtMs !== undefined)
      return [`${person} is out of hours until ${new Date(opensAtMs).toISOString()}`];
    return presence === 'no_account' ? [`${person} has no Slack account in the manifest`] : [];
  });
  const more = away.length - NAMED_MAX;
  return [...away.slice(0, NAMED_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
