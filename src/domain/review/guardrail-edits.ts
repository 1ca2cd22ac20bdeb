import { canonical } from '../digest.ts';
import type { Guardrail, Release } from '../release.ts';

const byMetric = (release: Release | undefined): Map<string, Guardrail> =>
  new Map((release?.rollout?.guardrails ?? []).map((one) => [one.metric, one]));

const limitOf = ({ limit }: Guardrail): string =>
  typeof limit === 'number' ? String(limit) : canonical(limit);

/** What a release guards that the one before did not, no more, or otherwise. */
export function guardrailEdits(
  before: Release | undefined,
  after: Release,
): { sign: '+' | '-' | '~'; what: string }[] {
  const [old, fresh] = [byMetric(before), byMetric(after)];
  const metrics = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return metrics.flatMap((metric): { sign: '+' | '-' | '~'; what: string }[] => {
    const [was, is] = [old.get(metric), fresh.get(metric)];
    if (!was && is) return [{ sign: '+', what: `${metric}: limit ${limitOf(is)}` }];
    if (was && !is) return [{ sign: '-', what: `${metric}: limit ${limitOf(was)}` }];
    if (!was || !is || canonical(was) === canonical(is)) return [];
    const moved = limitOf(was) === limitOf(is) ? 'changed' : `limit ${limitOf(was)} to ${limitOf(is)}`;
    return [{ sign: '~', what: `${metric}: ${moved}` }];
  });
}
