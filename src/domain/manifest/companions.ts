import type { Agent, Metric } from '../agent.ts';
import { isWeighed } from '../evidence/measure.ts';
import { type Guardrail, type Release, toolsOf } from '../release.ts';
import { unaskedWrites } from './check-release.ts';

/** The count over time that goes with a rate, as a rollout freezes it. */
export interface Companion {
  metric: string;
  /** The one tool whose writes it counts; else those of all. */
  tool?: string;
  /** Whether what waits for people counts too. */
  proposals: boolean;
  /** Harms a day, of the segments for which the guardrail says them. */
  declared: Readonly<Record<string, number>>;
}

/**
 * The guardrails that count harms a day as well: on writes that run unasked, which an agent may begin as many of as it
 * likes, and wherever the release manager says a figure (STATISTICS 4.2).
 */
export function companionsOf(release: Release, agent: Agent, segments: readonly string[]): Companion[] {
  return release.rollout.guardrails.flatMap((guardrail) => {
    const metric = agent.metrics[guardrail.metric];
    if (metric === undefined || isWeighed(metric) || metric.source !== undefined) return [];
    const declared = declaredOf(guardrail, segments);
    if (Object.keys(declared).length === 0 && !runsUnasked(metric, release, agent)) return [];
    const { tool, denials, decidedBy } = metric;
    const proposals = denials && decidedBy !== 'policy';
    return [{ metric: guardrail.metric, ...(tool === undefined ? {} : { tool }), proposals, declared }];
  });
}

function declaredOf({ perDay }: Guardrail, segments: readonly string[]): Record<string, number> {
  if (perDay === undefined) return {};
  const of = (segment: string): number | undefined => {
    if (typeof perDay === 'number') return perDay;
    return Object.hasOwn(perDay, segment) ? perDay[segment] : perDay['*'];
  };
  return Object.fromEntries(
    segments.flatMap((segment) => {
      const figure = of(segment);
      return figure === undefined ? [] : [[segment, figure]];
    }),
  );
}

/** Whether any write it counts runs unasked, or may come to (`earn`). */
function runsUnasked({ tool, decidedBy }: Metric, release: Release, agent: Agent): boolean {
  if (decidedBy === 'person') return false;
  const unasked = release.grants.flatMap((grant) =>
    grant.earn && grant.deny === undefined ? toolsOf(grant) : unaskedWrites(grant, agent),
  );
  return tool === undefined ? unasked.length > 0 : unasked.includes(tool);
}
