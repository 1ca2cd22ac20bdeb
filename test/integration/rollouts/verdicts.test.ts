import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeFacts } from '../../../src/domain/evidence/judge-facts.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import type { VerdictRecord } from '../../../src/records/verdict.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

let services: TestServices;
let rollout: string;
beforeAll(async () => {
  services = await createTestServices();
  rollout = await givenExposed(services);
});
afterAll(() => services.close());

interface Bucket {
  segment: string;
  day: number;
  events: number;
  harms: number;
}
type Data = Record<string, unknown> & { buckets: Bucket[] };

async function entries(kind: string): Promise<Data[]> {
  const rows = await writtenLog(services.db.sql)
    .select('body')
    .where('kind', '=', kind)
    .orderBy('n')
    .execute();
  return rows.map(({ body }) => JSON.parse(body).data);
}

/** The restart mixture as STATISTICS 4.6 has it, written without the code it checks. */
function mixture(buckets: readonly Bucket[], limit: number): number {
  const days = [...new Set(buckets.map(({ day }) => day))].sort((a, b) => a - b);
  const bets = Array.from({ length: 16 }, (_, j) => 0.95 * 10 ** (-2 + (2 * j) / 15));
  const sums = bets.map((k) =>
    days.reduce((sum, day, index) => {
      const t = index + 1;
      const factor = buckets
        .filter((bucket) => bucket.day === day)
        .reduce(
          (f, { events, harms }) => f * (1 + k * (1 / limit - 1)) ** harms * (1 - k) ** (events - harms),
          1,
        );
      return factor * (sum + 1 / (t * (t + 1)));
    }, 0),
  );
  return Math.log(sums.reduce((a, b) => a + b, 0) / bets.length + 1 / (days.length + 1));
}

test('the log says at the start what a stranger needs: plan, length of a day, commitment to the salt', async () => {
  const [started] = await entries('rollout.started');
  const { plan, salt } = await rolloutById(services.db.sql, rollout);
  expect(started).toMatchObject({
    dayMs: 86_400_000,
    plan: { alpha: '0.05', guardrails: [{ metric: 'wrong', limit: '0.05' }], shares: expect.any(Array) },
    saltCommitment: createHash('sha256').update(salt).digest('hex'),
  });
  expect((started as unknown as { plan: { steps: unknown[] } }).plan.steps).toHaveLength(plan.steps.length);
  expect(JSON.stringify(await entries('rollout.started'))).not.toContain(salt);
});

test('every verdict of the log is recomputed from its entry alone, the pooled one with its cap', async () => {
  for (let n = 0; n < 2; n++) {
    await report(services, await givenCancelled(services, `g-${n}`), 1);
    await report(services, await givenCancelled(services, `s-${n}`, 'silver'), 1);
    services.clock.advance(services.dayMs);
  }
  await report(services, await givenCancelled(services, 'd-0', 'bronze'), 1);
  await givenCancelled(services, 'quiet', 'silver');
  await judgeDue(services);
  const all = await entries('rollout.verdict');
  expect(all.some(({ kind }) => kind === 'pooled')).toBe(true);
  for (const entry of all) {
    const limit = Number(entry.limit);
    const own = mixture(entry.buckets, limit);
    const capped = mixture(
      entry.buckets.filter(({ segment }) => segment !== entry.leftOut),
      limit,
    );
    const expected = entry.kind === 'rate' ? own : entry.leftOut === undefined ? 0 : Math.min(own, capped);
    expect(Number(entry.logE)).toBeCloseTo(expected, 9);
    if (entry.leftOut !== undefined) expect(Number(entry.pooledLogE)).toBeCloseTo(own, 9);
    const threshold = Math.log(1 / (Number(entry.alpha) * Number(entry.weight)));
    expect(entry.verdict === 'breach').toBe(expected >= threshold);
  }
  // And by the product itself, bit for bit.
  const rows = await services.db.sql.selectFrom('verdict').selectAll().execute();
  for (const { record } of rows) {
    const { segment: _, metric: __, generations: ___, ...kept } = record as VerdictRecord;
    expect({ ...kept, ...judgeFacts(kept) }).toEqual(kept);
  }
});

test('status shows the verdict that took a segment back, and no row twice', async () => {
  const { segments, pooled } = await rolloutStatus(services, rollout);
  expect(segments.map(({ state }) => state)).toEqual(['rolled_back', 'rolled_back', 'rolled_back']);
  expect(pooled).toMatchObject([{ segment: '*', metric: 'wrong', verdict: 'breach' }]);
  for (const { verdicts } of segments) expect(verdicts).toHaveLength(1);
  const input = { id: rollout, verb: 'reenter' as const, segment: 'gold', reason: 'mended' };
  await runRolloutVerb(services, managerActor(), input);
  for (let n = 0; n < 8; n++) await report(services, await givenCancelled(services, `again-${n}`), 1);
  await judgeDue(services);
  const status = await rolloutStatus(services, rollout);
  const gold = status.segments.find(({ segment }) => segment === 'gold');
  expect(gold).toMatchObject({ state: 'rolled_back', verdicts: [{ verdict: 'breach', metric: 'wrong' }] });
  expect(gold?.verdicts).toHaveLength(1);
  expect(status.pooled).toHaveLength(1);
});

test('silence is no harm for the bound below and harm for the one above', async () => {
  const fresh = await createTestServices();
  try {
    const id = await givenExposed(fresh);
    for (let n = 0; n < 11; n++) {
      const action = await givenCancelled(fresh, `c-${n}`);
      if (n === 0) await report(fresh, action, 1);
    }
    fresh.clock.advance(3 * fresh.dayMs);
    await givenCancelled(fresh, 'later');
    await judgeDue(fresh);
    const gold = (await rolloutStatus(fresh, id)).segments.find(({ segment }) => segment === 'gold');
    const [record] = gold?.verdicts ?? [];
    expect(record).toMatchObject({ mature: { events: 11, harms: 1, known: 1 }, estimate: 1 / 12 });
    // 1 of 11 was harm: the lower bound lies below that share, not above a half.
    expect(record?.lowerBoundReported).toBeLessThan(1 / 11);
    expect(record?.upperBoundWithSilence).toBe(1);
  } finally {
    await fresh.close();
  }
});

test('the salt is said when the rollout has ended', async () => {
  await runRolloutVerb(services, managerActor(), { id: rollout, verb: 'rollback', reason: 'enough' });
  const [ended] = await entries('rollout.rollback');
  const [started] = await entries('rollout.started');
  expect(createHash('sha256').update(String(ended?.salt)).digest('hex')).toBe(started?.saltCommitment);
});
