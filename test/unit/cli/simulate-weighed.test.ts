import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runInTest, tooLong } from './cli-io.ts';

const AGENT = `agent: desk
people: { olga: {}, max: {} }
owners: [olga]
approvers: { desk: [max] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold", representative: false }]
tools: { refund: {} }
metrics:
  wrong: { unit: conversation, corrections: true, business: workload }
  drifting: { unit: conversation, corrections: true, business: workload }
  cost: { unit: EUR, kind: sum, cap: 5, business: unit cost }
  effort: { unit: min, kind: sum, business: workload }
  case: { unit: EUR, kind: ratio, cap: 20, perMax: 3, business: unit cost }
`;
const RELEASE = `agent: desk
release: 2
grants: [{ tool: refund, approval: none }]
rollout:
  signedOffBy: olga
  constrained: [{ days: 30, exposure: { gold: 50 } }]
  scale: [{ days: 30, exposure: { "*": 100 } }]
  guardrails:
    - { metric: wrong, limit: 0.05, perDay: { gold: 0.5 }, reason: r }
    - { metric: drifting, limit: { baseline: { margin: 0.5 } }, reason: r }
    - { metric: cost, limit: 0.4, control: { more: 0.2 }, reason: r }
    - { metric: effort, limit: 3, reason: r, on: { inconclusive: pass } }
    - { metric: case, limit: 2, reason: r }
`;

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'portcullis-simulate-'));
  writeFileSync(join(cwd, 'agent.yaml'), AGENT);
  writeFileSync(join(cwd, 'release.yaml'), RELEASE);
});
afterAll(() => rmSync(cwd, { recursive: true }));

const simulate = (...more: string[]) =>
  runInTest(
    ['rollout', 'simulate', 'agent.yaml', 'release.yaml', '--traffic', '*=40', '--runs', '100', ...more],
    { cwd },
  );
const harm = (text: string) => ['--harm', text];

test('sums, ratios, harms a day and comparisons are played, and what was supposed of them is said', async () => {
  const { out, flat, code } = await simulate();
  expect(code).toBe(0);
  expect(out).toMatch(/gold +cost +40 +68 \(\d+\) +580 +5/);
  expect(out).toMatch(/gold +effort +40 +never +- +never/);
  expect(out).toMatch(/gold +case +6 mean +100 % /);
  expect(flat).toContain('wrong per day: at most 0.5 in gold, 2.12 in default when all of it is exposed');
  expect(flat).toContain(
    'cost (sum): each subject-day comes to 0 or its cap of 5; of all values with the same mean these tell least',
  );
  expect(flat).toContain(
    'cost control: the release in force does 0.2, and each subject-day is another subject',
  );
  expect(flat).toContain(
    'effort (sum): each subject-day comes to 0 or 30, 10 times its limit; without a cap',
  );
  expect(flat).toContain('or spends its cap of 20 and does nothing');
  expect(flat).toContain('Played 100 times a question, seed 1.');
  expect(tooLong(out)).toEqual([]);
});

test('a limit that comes with the baseline is played, by what is said of it or by a default that is told', async () => {
  const { out, flat } = await simulate();
  expect(out).toMatch(/gold +drifting +40 +42 \(226\)/);
  expect(flat).toContain(
    'Played by a limit of their own: wrong, cost, effort, case. By one that comes with the baseline: drifting.',
  );
  expect(flat).toContain(
    'drifting: its limit comes with the baseline, played as one with this traffic would lock it. gold, default: a limit of 0.125 (1160 ripe events, 0.05 because nothing is recorded: say --baseline)',
  );
  const given = await simulate('--baseline', 'drifting=0.02', '--traffic', 'gold=0.1');
  expect(given.flat).toMatch(
    /gold: no limit \(3 ripe events, 0\.02 as given\); default: a limit of 0\.0\d+ \(1160 ripe events, 0\.02 as given\)/,
  );
  expect(given.flat).toContain(
    'gold drifting: its baseline would be too thin for a limit, so nothing is taken back by it and it is never ok',
  );
  const { json } = await simulate('--baseline', 'drifting=0.02', '--output', 'json');
  const { noticed, guardrails } = json<{
    noticed: { segment: string; metric: string; rate?: number }[];
    guardrails: { metric: string; baseline?: Record<string, { limit: number }> }[];
  }>();
  const limit = guardrails.find(({ metric }) => metric === 'drifting')?.baseline?.gold?.limit ?? 0;
  expect(noticed.find((one) => one.metric === 'drifting' && one.segment === 'gold')?.rate).toBe(3 * limit);
  const harmed = await simulate('--traffic', 'gold=0.1', ...harm('segment=gold,metric=drifting,rate=0.5'));
  expect(harmed).toMatchObject({ code: 2 });
  expect(harmed.err.replace(/\s+/g, ' ')).toContain(
    '"drifting" has no limit in gold: its baseline would be too thin',
  );
});

test.each([
  ['wrong=0.03', '"wrong" has a limit of its own, 0.05'],
  ['drifting', '"drifting" is not <metric>=<level>'],
  ['drifting=1.5', '--baseline drifting: 1.5 must be at least 0 and at most 1'],
  ['drifting=x', '"x" is not a number'],
  ['drift=0.1', 'there is no guardrail "drift"'],
])('--baseline %s is refused: %s', async (text, said) => {
  const { err, code } = await simulate('--baseline', text);
  expect(code).toBe(2);
  expect(err.replace(/\s+/g, ' ')).toContain(said);
});

test('harm within the limit of the rate is noticed by the harms a day, and the words say so', async () => {
  const { out } = await simulate(...harm('segment=gold,metric=wrong,rate=0.045'));
  expect(out).toMatch(/gold +wrong +0\.045 +100 % .* per day$/m);
});

test('a mean is played as it was said, with what the release in force does', async () => {
  const given = await simulate(...harm('segment=gold,metric=cost,mean=0.39,control=0'), '--output', 'json');
  expect(given.json()).toMatchObject({
    noticed: [{ segment: 'gold', metric: 'cost', mean: 0.39, control: 0 }],
    guardrails: [{ metric: 'wrong' }, {}, { metric: 'cost', values: { kind: 'sum', cap: 5 } }, {}, {}],
  });
  const { flat } = await simulate(...harm('segment=gold,metric=cost,mean=0.39,control=0'));
  expect(flat).toContain('cost control: the release in force does 0, and');
});

test('a healthy release is stopped in at most alpha of the runs, whatever goes with its guardrails', async () => {
  for (const seed of ['1', '2']) {
    const { json } = await simulate('--seed', seed, '--runs', '100', '--output', 'json');
    const { healthyStopped } = json<{
      healthyStopped: Record<'atMost' | 'atTheLimit' | 'atHalfOfIt', number>;
    }>();
    expect(healthyStopped.atTheLimit).toBeLessThanOrEqual(healthyStopped.atMost);
    expect(healthyStopped.atHalfOfIt).toBeLessThanOrEqual(healthyStopped.atTheLimit);
  }
});

test.each([
  ['segment=gold,metric=cost,rate=0.1', '"cost" is a sum, it has no rate: say what it comes to in the mean'],
  ['segment=gold,metric=cost,rate=0.1', 'Write --harm segment=gold,metric=cost,mean=0.4'],
  ['segment=gold,metric=case,rate=0.1', '"case" is a ratio, it has no rate'],
  ['segment=gold,metric=wrong,mean=0.1', '"wrong" counts harm, it has no mean'],
  ['segment=gold,metric=cost,mean=6', 'the mean is 6, above the cap of 5 that no value exceeds'],
  ['segment=gold,metric=cost,mean=1,control=7', 'the control is 7, above the cap of 5'],
  ['segment=gold,metric=cost,mean=0', 'the mean is 0, it must be above 0'],
  ['segment=gold,metric=cost,mean=x', '--harm mean: "x" is not a number'],
  ['segment=gold,metric=cost', 'does not name a segment, a metric and a mean'],
  ['segment=glod,metric=cost,mean=1', 'there is no segment "glod"'],
  ['segment=gold,metric=csot,mean=1', 'there is no guardrail "csot"'],
  ['segment=gold,metric=wrong,rate=0.1,control=0.1', '"wrong" is not compared with the release in force'],
  ['segment=gold,metric=wrong,rate=0.1,rates=0.1', '"rates" says nothing of a harm'],
  ['segment=gold,metric=wrong,rate=0.1,rate=0.2', 'says rate twice'],
])('--harm %s is refused: %s', async (text, said) => {
  const { err, code } = await simulate(...harm(text));
  expect(code).toBe(2);
  expect(err.replace(/\s+/g, ' ')).toContain(said);
});
