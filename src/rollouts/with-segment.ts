import type { Agent } from '../domain/agent.ts';
import { sharesOf, withLaterSegment } from '../domain/evidence/alpha.ts';
import { type DayLimit, dayLimit } from '../domain/evidence/day-limit.ts';
import { companionsOf } from '../domain/manifest/companions.ts';
import type { Release } from '../domain/release.ts';
import { stepsWith } from '../domain/rollout/join.ts';
import { mostExposed, type Step } from '../domain/rollout/steps.ts';
import { dayOf, type FrozenPlan, type RolloutRecord } from '../records/rollout.ts';

/** A segment that joins, and what its rollout is made from. */
export interface NewSegment {
  segment: string;
  agent: Agent;
  release: Release;
  /** The steps of the release, as if it had been there from the start. */
  planned: readonly Step[];
  /** The release in force there. */
  control: string;
  now: Date;
}

/** The rollout with one segment more: what was frozen of the others stays as it is. */
export function withSegment(rollout: RolloutRecord, joining: NewSegment): RolloutRecord {
  const { plan } = rollout;
  const { segment, agent, planned, control, now } = joining;
  const steps = stepsWith(plan.steps, { segment, stepIndex: rollout.step_index, planned });
  const isExposed = steps.some(({ exposure }) => (exposure[segment] ?? 0) > 0);
  const companions = plan.companions && withDeclared(plan.companions, joining);
  const { representative } = agent.segments.find(({ name }) => name === segment) ?? {};
  const next: FrozenPlan = {
    ...plan,
    steps,
    shares: isExposed ? drawn(plan, segment) : plan.shares,
    control: { ...plan.control, [segment]: control },
    representative: representative ? [...plan.representative, segment] : plan.representative,
    ...(plan.sums && { sums: withExposed(plan.sums, steps, segment) }),
    ...(companions && { companions }),
    joined: [...(plan.joined ?? []), { segment, day: dayOf(rollout, now), stepIndex: rollout.step_index }],
  };
  const more = isExposed && rollout.per_day ? laterLimits(next, segment) : [];
  return { ...rollout, plan: next, per_day: rollout.per_day && [...rollout.per_day, ...more] };
}

/** The next part of the reserve: those that nothing exposes drew none. */
function drawn({ shares, guardrails, joined = [] }: FrozenPlan, segment: string): FrozenPlan['shares'] {
  const before = joined.filter((one) => shares.some((share) => share.segment === one.segment));
  return withLaterSegment(shares, sharesOf(guardrails), { segment, j: before.length + 1 });
}

function withDeclared(
  companions: NonNullable<FrozenPlan['companions']>,
  { segment, release, agent }: NewSegment,
): NonNullable<FrozenPlan['companions']> {
  const own = companionsOf(release, agent, [segment]);
  return companions.map((one) => ({
    ...one,
    declared: { ...one.declared, ...own.find(({ metric }) => metric === one.metric)?.declared },
  }));
}

function withExposed(
  sums: NonNullable<FrozenPlan['sums']>,
  steps: readonly Step[],
  segment: string,
): NonNullable<FrozenPlan['sums']> {
  const most = mostExposed(steps)[segment];
  if (most === undefined) return sums;
  return Object.fromEntries(
    Object.entries(sums).map(([metric, limits]) => [
      metric,
      limits.exposed ? { ...limits, exposed: { ...limits.exposed, [segment]: most } } : limits,
    ]),
  );
}

/** The baseline measured nothing of it: what its guardrails say is all there is. */
const laterLimits = ({ companions = [] }: FrozenPlan, segment: string): DayLimit[] =>
  companions.map(({ metric, declared }) => ({
    ...dayLimit({ segment, metric, writes: 0, unasked: 0, days: 0 }, undefined, declared[segment]),
    later: true,
  }));
