import type { DeskTally } from '../desk/server.ts';
import type { ActionRow, LogEntry } from './api.ts';
import type { Drill } from './drill.ts';
import type { Learned } from './learn.ts';
import type { Rollback } from './watch.ts';

/** One thing that must hold; the demo ends with exit code 0 only if all do. */
export interface Invariant {
  name: string;
  holds: boolean;
  /** What was found. */
  found: string;
}

/** What is needed of the log: every entry of these kinds. */
export const KINDS_READ = [
  'action.asked',
  'action.approved',
  'action.begun',
  'action.executed',
  'action.failed',
  'rollout.rolled_back',
  'incident.joined',
] as const;

/**
 * Writes that began although the switch was off. A begin notes the epoch it read under the gate's lock; the epochs
 * from the stop's own to the release's are those of the time it was off.
 */
export function begunWhileOff(
  entries: readonly LogEntry[],
  { epochOff, epochOn, closedAt, onAt }: Drill,
  rows: readonly ActionRow[],
): number {
  const byEpoch = begunIn(entries).filter(({ epoch }) => epoch >= epochOff && epoch < epochOn);
  const byClock = rows.filter(({ execution }) => {
    const began = execution ? new Date(execution.beganAt) : undefined;
    return began !== undefined && began > closedAt && began < onAt;
  });
  return new Set([...byEpoch.map(({ ref }) => ref), ...byClock.map(({ id }) => id)]).size;
}

/** Writes of the candidate in a segment that began after it was taken back there. */
export function begunAfterRollback(
  entries: readonly LogEntry[],
  segment: string,
  rows: readonly ActionRow[],
): number {
  const stop = entries.find(({ kind, data }) => kind === 'rollout.rolled_back' && data.segment === segment);
  if (!stop) return 0;
  const covered = new Set(
    rows.filter((row) => row.arm === 'candidate' && row.segment === segment).map(({ id }) => id),
  );
  return begunIn(entries).filter(({ ref, epoch }) => covered.has(ref) && epoch >= Number(stop.data.epoch))
    .length;
}

const begunIn = (entries: readonly LogEntry[]) =>
  entries
    .filter(({ kind }) => kind === 'action.begun')
    .map(({ ref, data }) => ({ ref: ref ?? '', epoch: Number(data.epoch) }));

/** Begun writes of which the log holds neither an allow nor an approval before. */
export function begunUnasked(entries: readonly LogEntry[]): string[] {
  const permitted = new Set<string>();
  const without: string[] = [];
  for (const { kind, ref = '', data } of entries) {
    if (kind === 'action.approved' || (kind === 'action.asked' && data.outcome === 'allowed'))
      permitted.add(ref);
    if (kind === 'action.begun' && !permitted.has(ref)) without.push(ref);
  }
  return without;
}

/** Writes that the switch refused or ended. */
export const refusedMeanwhile = (rows: readonly ActionRow[]): number =>
  rows.filter(
    ({ state, reasons }) =>
      state === 'disabled' || (state === 'denied' && reasons.some(({ code }) => code === 'switched_off')),
  ).length;

export interface Evidence {
  entries: readonly LogEntry[];
  rows: readonly ActionRow[];
  desk: DeskTally;
  log: { verified: boolean; entries: number; tail: number };
  drill: Drill;
  rollbacks: readonly Rollback[];
  /** Figures that do not add up. */
  wrongSums: readonly string[];
  control: boolean;
  /** Writes tried without a credential to show the refusal; the desk counts them apart. */
  probes: number;
  learned: Learned;
}

export function checkInvariants(evidence: Evidence): Invariant[] {
  const { entries, rows, desk, log, drill, rollbacks, wrongSums, control, probes, learned } = evidence;
  const unasked = begunUnasked(entries);
  const logged = (kind: string) => entries.filter((entry) => entry.kind === kind);
  const executed = logged('action.executed').map(({ ref }) => ref ?? '');
  const refused = logged('action.failed').filter(({ data }) => data.error === 'refused_by_tool').length;
  const sameWrites = executed.length === desk.accepted && executed.every((id) => desk.actions.includes(id));
  const badCredentials = Object.values(desk.refusedCredential).reduce((sum, count) => sum + count, 0);
  const afterSwitch = begunWhileOff(entries, drill, rows);
  const afterRollback = rollbacks.reduce(
    (sum, { segment }) => sum + begunAfterRollback(entries, segment, rows),
    0,
  );
  const open = rows.filter(({ state }) =>
    ['pending', 'approved', 'executing', 'unknown'].includes(state),
  ).length;
  const invariants: Invariant[] = [
    {
      name: 'nothing began without an allow or an approval',
      holds: unasked.length === 0,
      found: `${unasked.length} did`,
    },
    {
      name: 'nothing began while the switch was off',
      holds: afterSwitch === 0 && drill.state === 'closed',
      found: `${afterSwitch} did`,
    },
    { name: 'nothing began after a rollback', holds: afterRollback === 0, found: `${afterRollback} did` },
    {
      name: "the desk's own tally is the log's",
      holds: sameWrites && refused === desk.refusedByTool,
      found: `done ${desk.accepted} = ${executed.length}, refused ${desk.refusedByTool} = ${refused}`,
    },
    {
      name: 'the desk saw no other bad credential',
      holds: badCredentials === probes,
      found: `${badCredentials - probes}`,
    },
    { name: 'every write ended', holds: open === 0, found: `${open} open` },
    { name: 'the figures add up', holds: wrongSums.length === 0, found: wrongSums.join('; ') || 'all do' },
    { name: 'the log verifies', holds: log.verified && log.tail === 0, found: `${log.entries} entries` },
  ];
  invariants.push(...invariantsOfLearning(learned, logged('incident.joined')));
  if (control) {
    invariants.push({
      name: 'control: nothing was taken back',
      holds: rollbacks.length === 0,
      found: `${rollbacks.length} rollbacks`,
    });
  }
  return invariants;
}

/** In how many incidents it is by the log, not by what the service says of its incidents. */
const incidentsOf = (id: string, joined: readonly LogEntry[]): number =>
  new Set(joined.filter(({ data }) => data.action === id).map(({ ref }) => ref)).size;

function invariantsOfLearning(
  { wrong, incidents, case: kept, preflights }: Learned,
  joined: readonly LogEntry[],
): Invariant[] {
  const inOne = wrong.filter((id) => incidentsOf(id, joined) === 1).length;
  const unclassified = incidents.filter(({ mechanism }) => mechanism === 'none').length;
  const every: Invariant = {
    name: 'every wrong write is in exactly one incident',
    holds: inOne === wrong.length && unclassified === 0,
    found: `${inOne} of ${wrong.length}, ${unclassified} unclassified`,
  };
  if (!kept) return [every];
  const [again, fixed] = preflights.map(({ suite }) => suite.red.map(({ case: name }) => name));
  return [
    every,
    {
      name: 'its case refuses release 2, and not release 3',
      holds: again?.includes(kept.name) === true && fixed?.length === 0,
      found: `red: ${again?.join(', ') || 'none'}; ${fixed?.join(', ') || 'none'}`,
    },
  ];
}
