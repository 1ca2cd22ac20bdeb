import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

const AGENT = `agent: till
people: { olga: {}, ana: {}, omar: {} }
owners: [olga]
onCall: [omar]
approvers: { desk: [ana] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold", representative: false }]
tools: { refund: { args: { type: object } } }
metrics:
  wrong: { unit: conversation, corrections: true, business: workload }
  cost: { unit: EUR, kind: sum, cap: 5, business: unit cost }
`;
const release = (version: number, approval: string): string => `agent: till
release: ${version}
grants: [{ tool: refund, approval: ${approval} }]
rollout:
  signedOffBy: olga
  guardrails:
    - { metric: wrong, limit: 0.1, perDay: 2, reason: what the desk gets wrong }
    - { metric: cost, limit: 0.4, reason: what a case costs today }
`;

let cli: CliHarness;
let olga: Run;
beforeAll(async () => {
  cli = await startCliHarness();
  olga = await cli.as('olga', 'release-manager');
  writeFileSync(`${cli.cwd}/till.yaml`, AGENT);
  writeFileSync(`${cli.cwd}/till-1.yaml`, release(1, '{ group: desk }'));
  writeFileSync(`${cli.cwd}/till-2.yaml`, release(2, 'none'));
  await olga('apply', 'till.yaml', 'till-1.yaml', 'till-2.yaml', '--yes');
  await olga('adopt', 'till', '1', '--reason', 'first');
});
afterAll(() => cli.close());

test('start shows the manager sums and harms a day before they are confirmed; nothing starts without', async () => {
  const start = ['rollout', 'start', 'till', '2', '--reason', 'x', '--none-yet', 'x'];
  const refused = await cli.runWith({ answers: [false] }, ...start);
  const told = refused.err.replace(/\s+/g, ' ');
  expect(refused).toMatchObject({ code: 1 });
  expect(told).toContain(
    'cost (sum): each subject-day comes to 0 or its cap of 5; of all values with the same mean',
  );
  expect(told).toContain('wrong per day: at most 2 in gold, 2 in default');
  expect(told).toContain('1.2 mean');
  expect(told).toContain('seed 1.');
  expect(tooLong(refused.err)).toEqual([]);
  expect((await cli.run('rollout', 'status', 'till')).err).toContain('There is no rollout');
});

test('a harm that cannot be is refused with what it should be', async () => {
  const wrong = await olga(
    'rollout',
    'simulate',
    'till-2.yaml',
    '--harm',
    'segment=gold,metric=cost,rate=0.1',
  );
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.err).toContain('"cost" is a sum, it has no rate');
  const played = await olga(
    'rollout',
    'simulate',
    'till-2.yaml',
    '--traffic',
    '*=40',
    '--harm',
    'segment=gold,metric=cost,mean=1.5',
  );
  expect(played.code).toBe(0);
  expect(played.out).toMatch(/gold +cost +1\.5 mean +100 %/);
});

test('a limit that comes with the baseline is played by what the last one recorded, in start as in simulate', async () => {
  const { db, clock } = cli.services;
  const yaml = release(3, 'none').replace('limit: 0.1, perDay: 2', 'limit: { baseline: { margin: 0.5 } }');
  writeFileSync(`${cli.cwd}/till-3.yaml`, yaml);
  await olga('apply', 'till-3.yaml', '--yes');
  const told = async (...more: string[]) => {
    const { out } = await olga('rollout', 'simulate', 'till-3.yaml', '--traffic', '*=40', ...more);
    return out.replace(/\s+/g, ' ');
  };
  expect(await told()).toContain('1160 ripe events, 0.05 because nothing is recorded');
  const { json } = await olga(
    'rollout',
    'start',
    'till',
    '2',
    '--reason',
    'x',
    '--none-yet',
    'x',
    '--yes',
    '--output',
    'json',
  );
  const { id } = json<{ id: string }>();
  const measured = { segment: 'gold', metric: 'wrong', events: 600, harms: 12, known: 600 };
  await db.sql
    .updateTable('rollout')
    .set({ baseline: JSON.stringify([measured]), baseline_locked_at: clock.now() })
    .execute();
  await olga('rollout', 'rollback', 'till', '--reason', 'x');
  const recorded = `0.02 as ${id} recorded`;
  expect(await told()).toMatch(
    new RegExp(`gold: a limit of 0\\.0\\d+ \\(1160 ripe events, ${recorded}\\); default: a limit of`),
  );
  expect(await told('--baseline', 'wrong=0.03')).toContain('0.03 as given');
  // No write was asked for lately: too little for a limit, and said before anything starts.
  const start = ['rollout', 'start', 'till', '3', '--reason', 'x', '--none-yet', 'x'];
  const { err } = await cli.runWith({ answers: [false] }, ...start);
  expect(err.replace(/\s+/g, ' ')).toContain(`gold: no limit (0 ripe events, ${recorded})`);
  expect(tooLong(err)).toEqual([]);
});
