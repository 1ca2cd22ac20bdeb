import { DEFAULT_SEGMENT } from '../agent.ts';
import { digestOf } from '../digest.ts';
import type { Step, StepBounds } from './steps.ts';

/** A segment that a later manifest gave an open rollout. */
export interface JoinedSegment {
  segment: string;
  /** The day of the rollout on which it came, 0 on the first. */
  day: number;
  /** The step it was in then, by its index. */
  stepIndex: number;
}

/** What the release plans for a segment that joins a rollout in one of its steps. */
export interface Joining {
  segment: string;
  stepIndex: number;
  /** The steps of its release, as if the segment had been there from the start. */
  planned: readonly Step[];
}

/**
 * The steps with one more segment: at 0 % up to the present one, and from the next on at each share that the release plans
 * for it, one after the other and held to what the step of that share holds to, so that nothing is left out. Where fewer steps
 * are left than it has shares, as many more follow, each like the last. The others stay as they are.
 */
export function stepsWith(steps: readonly Step[], { segment, stepIndex, planned }: Joining): Step[] {
  const shares = planned.filter((step) => (step.exposure[segment] ?? 0) > 0);
  const takes = ({ index }: Pick<Step, 'index'>): boolean =>
    index > stepIndex && shares.length > 0 && (planned[index]?.exposure[segment] ?? 1) > 0;
  const all = lengthened(steps, shares.length - steps.filter(takes).length);
  let taken = 0;
  return all.map((step) => {
    if (takes(step)) taken += 1;
    const share = shares[Math.min(taken, shares.length) - 1];
    return withShare(step, segment, share);
  });
}

function lengthened(steps: readonly Step[], more: number): Step[] {
  const all = [...steps];
  for (let n = 0; n < more; n++) {
    const last = all.at(-1);
    if (last === undefined) break;
    all.push({ ...last, index: last.index + 1, fromDay: last.toDay, toDay: last.toDay + last.days });
  }
  return all;
}

function withShare(step: Step, segment: string, share: Step | undefined): Step {
  const exposure = { ...step.exposure, [segment]: share?.exposure[segment] ?? 0 };
  const own = share && share.index !== step.index ? stricter(share, step) : undefined;
  return { ...step, exposure, ...(own && { own: { ...step.own, [segment]: own } }) };
}

/** What the step of a share holds to, where that is not what the step it is made up for in holds to anyway. */
function stricter(share: StepBounds, step: StepBounds): StepBounds | undefined {
  const { tools, limits } = share;
  const writes = step.writes === 'ask' ? 'ask' : share.writes;
  const own = { ...(writes && { writes }), ...(tools && { tools }), ...(limits && { limits }) };
  const before = {
    ...(step.writes && { writes: step.writes }),
    ...(step.tools && { tools: step.tools }),
    ...(step.limits && { limits: step.limits }),
  };
  return digestOf(own) === digestOf(before) ? undefined : own;
}

/** Why a segment is not what it was at the start, and since when; the first day is 1. */
export interface SegmentChange {
  why: 'joined' | 'narrowed';
  day: number;
}

/** `undefined`: it is what it was. */
export function changeOf(
  joined: readonly JoinedSegment[] | undefined,
  segment: string,
): SegmentChange | undefined {
  const day = wholeFrom(joined, segment);
  return day === 0 ? undefined : { why: segment === DEFAULT_SEGMENT ? 'narrowed' : 'joined', day };
}

export const changeText = ({ why, day }: SegmentChange): string =>
  why === 'joined' ? `joined on day ${day}` : `fewer people since day ${day}`;

/** The segments that are not what they were at the start, each with the first whole day on which it was what it is now. */
export const changedSegments = (joined: readonly JoinedSegment[] = []): { segment: string; from: number }[] =>
  [...joined.map(({ segment }) => segment), ...(joined.length > 0 ? [DEFAULT_SEGMENT] : [])].map(
    (segment) => ({ segment, from: wholeFrom(joined, segment) }),
  );

/**
 * The first whole day on which a segment was what it is now, 0 where it was from the start: one that joined takes its people
 * from `default`.
 */
export function wholeFrom(joined: readonly JoinedSegment[] | undefined, segment: string): number {
  const one = segment === DEFAULT_SEGMENT ? joined?.at(-1) : joined?.find((own) => own.segment === segment);
  return one === undefined ? 0 : one.day + 1;
}
