import type { Agent } from '../agent.ts';
import { digestOf } from '../digest.ts';

/** What a new manifest does to the segments of an agent. */
export interface SegmentEdits {
  /** Those that are new, each after all that were there: only whoever was in `default` can be in one. */
  added: string[];
  /** What makes another segment of one that has its name still, each with how to mend it. */
  problems: string[];
}

/**
 * Segments are matched in order, the first that fits, `default` last: one that is removed, changed, moved or put before
 * another changes who is in the others.
 */
export function segmentEdits(
  { segments: before }: Pick<Agent, 'segments'>,
  { segments: after }: Pick<Agent, 'segments'>,
): SegmentEdits {
  const known = before.map(({ name }) => name);
  const kept = after.flatMap(({ name }) => (known.includes(name) ? name : []));
  const added = after.flatMap(({ name }) => (known.includes(name) ? [] : name));
  const removed = known.filter((name) => !kept.includes(name));
  const changed = before.flatMap((one) => {
    const now = after.find(({ name }) => name === one.name);
    return now && digestOf(now) !== digestOf(one) ? one.name : [];
  });
  const last = after.findLastIndex(({ name }) => known.includes(name));
  const early = added.filter((name) => after.findIndex((one) => one.name === name) < last);
  const moved = kept.join('\n') !== known.filter((name) => kept.includes(name)).join('\n');
  return {
    added,
    problems: [
      ...removed.map((name) => `it removes segment "${name}": keep it`),
      ...changed.map((name) => `it changes segment "${name}": give the new definition a name of its own`),
      ...(moved ? [`it puts segments in another order: keep ${known.join(', ')}`] : []),
      ...early.map((name) => `it puts "${name}" before "${after[last]?.name}": put it after`),
    ],
  };
}
