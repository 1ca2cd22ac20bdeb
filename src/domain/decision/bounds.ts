import type { SegmentExposure } from '../decision.ts';
import type { StepLimits } from '../release.ts';
import { boundsAt, type Step, type StepBounds } from '../rollout/steps.ts';
import type { NamedGrant } from './compiled.ts';

/** What holds a candidate beside its grants: the step of its rollout, and the evidence of its segment. */
export interface Bounds {
  /** People confirm each write, whatever would let it run. */
  everyWriteAsks: boolean;
  /** Who does where its grant asks nobody. */
  asks?: string;
  /** What it may use so far; none: all that it grants. */
  tools?: readonly string[];
  limits?: StepLimits;
}

/** What is open of a rollout that bounds its candidate. */
export interface BoundedRollout {
  /** None once it has completed. */
  step?: StepBounds & Pick<Step, 'index' | 'own'>;
  asks?: string;
}

/** What bounds the candidate in one segment, as far as that is exposed. */
export function boundsIn({ step, asks }: BoundedRollout, segment: string, exposure: SegmentExposure): Bounds {
  const { writes, tools, limits } = boundsAt(step, segment) ?? {};
  return { everyWriteAsks: writes === 'ask' || exposure.asks === true, asks, tools, limits };
}

/** The grant with its limits, or those of the step where they are lower. */
export function withinLimits(grant: NamedGrant, limits: StepLimits | undefined): NamedGrant {
  if (limits === undefined) return grant;
  const lower = { ...grant.limits };
  for (const period of ['perHour', 'perDay'] as const) {
    const most = Math.min(limits[period] ?? Infinity, lower[period] ?? Infinity);
    if (most !== Infinity) lower[period] = most;
  }
  return { ...grant, limits: lower };
}
