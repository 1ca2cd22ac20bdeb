import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logEntry } from '../../../src/log/read.ts';
import { appendEntry } from '../../../src/records/log-entry.ts';
import { manifestOf } from '../../../src/records/manifest.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { givenCancelled, givenExposed, report } from '../rollouts/support.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

let cli: CliHarness;
let auditor: Run;
let rollout: string;
beforeAll(async () => {
  cli = await startCliHarness();
  auditor = await cli.as('ana', 'auditor');
  rollout = await givenExposed(cli.services);
});
afterAll(() => cli.close());

interface Listed {
  verdicts: { entry: number; segment: string; metric: string; verdict: string }[];
}
const list = async () =>
  (await auditor('rollout', 'explain', 'desk', '--output', 'json')).json<Listed>().verdicts;

test('before anything was judged it says so', async () => {
  const { out } = await auditor('rollout', 'explain', 'desk');
  expect(out).toContain('No verdict of rollout');
});

test('every verdict is judged again from its entry alone, and is the same', async () => {
  for (let n = 0; n < 3; n++) {
    await report(cli.services, await givenCancelled(cli.services, `g-${n}`), 1);
    await report(cli.services, await givenCancelled(cli.services, `s-${n}`, 'silver'), 0);
    cli.services.clock.advance(cli.services.dayMs);
  }
  await judgeDue(cli.services);
  await cli.sequence();
  const verdicts = await list();
  expect(verdicts.map(({ segment, verdict }) => `${segment} ${verdict}`)).toContain('gold breach');
  for (const { entry } of verdicts) {
    const one = await auditor('rollout', 'explain', rollout, '--verdict', String(entry));
    expect(one).toMatchObject({ code: 0 });
    expect(one.flat).toContain('the same, bit for bit');
    expect(tooLong(one.out)).toEqual([]);
  }
  const table = await auditor('rollout', 'explain', 'desk');
  expect(table.out).toMatch(/gold\s+wrong/);
  expect(tooLong(table.out)).toEqual([]);
});

test('an entry of something else, or of nothing, is refused', async () => {
  const [first] = await list();
  const other = await auditor('rollout', 'explain', 'desk', '--verdict', String((first?.entry ?? 0) - 1));
  expect(other).toMatchObject({ code: 2 });
  expect(other.err).toContain(`is no verdict of rollout ${rollout}`);
  expect((await auditor('rollout', 'explain', 'desk', '--verdict', 'x')).err).toContain('a whole number');
  expect((await auditor('rollout', 'explain', 'desk', '--verdict', '999999')).err).toContain('no entry');
});

test('report writes one page and the same as JSON beside it', async () => {
  const written = await auditor('rollout', 'report', 'desk', '--out', 'report.html');
  expect(written).toMatchObject({ code: 0, out: 'Wrote report.html and report.json.\n' });
  const page = readFileSync(join(cli.cwd, 'report.html'), 'utf8');
  expect(page).toContain(`<title>Rollout ${rollout}`);
  expect(page).toContain('wrong in gold: breach');
  const data = JSON.parse(readFileSync(join(cli.cwd, 'report.json'), 'utf8'));
  expect(data).toMatchObject({
    rollout: { id: rollout },
    evidence: [{ segment: 'gold' }, { segment: 'silver' }],
  });
  const named = await auditor('rollout', 'report', 'desk', '--out', 'report.pdf');
  expect(named).toMatchObject({ code: 2 });
  expect(named.err).toContain('ends with .html');
});

test('a verdict that does not follow from what it rests on is told apart, with exit code 5', async () => {
  const breach = (await list()).find(({ verdict }) => verdict === 'breach');
  const { body } = await logEntry(cli.services.db.sql, breach?.entry ?? 0);
  const { data, ref, agent } = JSON.parse(body);
  const forged = { kind: 'rollout.verdict', agent, ref, at: cli.services.clock.now(), actor: 'judge' };
  await appendEntry(cli.services.db.sql, { ...forged, data: { ...data, verdict: 'ok' } });
  await cli.sequence();
  const last = (await list()).at(-1);
  const one = await auditor('rollout', 'explain', 'desk', '--verdict', String(last?.entry));
  expect(one).toMatchObject({ code: 5 });
  expect(one.out).toContain('DIFFERS');
  expect(one.flat).toContain('verdict: recorded "ok", comes to "breach"');
});

test('apply says what a new segment means to the open rollout before it asks, and what it refuses', async () => {
  const olga = await cli.as('olga', 'release-manager');
  const { segments, ...agent } = await manifestOf(cli.services.db.sql, 'desk');
  const vip = { name: 'vip', when: 'context.tier == "vip"' };
  const write = (all: object[]) =>
    writeFileSync(`${cli.cwd}/desk.yaml`, JSON.stringify({ ...agent, segments: all }));
  write([vip, ...segments]);
  const refused = await olga('apply', 'desk.yaml', '--yes');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err.replace(/\s+/g, ' ')).toContain('it puts "vip" before "silver": put it after');

  write([...segments, vip]);
  const asked = await olga('apply', 'desk.yaml');
  expect(tooLong(asked.out)).toEqual([]);
  for (const said of [
    '+ segment vip: context.tier == "vip"',
    `segment vip joins rollout ${rollout} at 0 %, on release 1, until step 3 exposes 100 % of it`,
    'wrong takes it back at an e-value of 329 (default: 150)',
    'whoever is in vip leaves default, and is served by the release in force again (default is exposed at 100 %)',
    'the plan gets 1 more step and ends on day 120 at the earliest',
  ])
    expect(asked.flat).toContain(said);
  const applied = await olga('apply', 'desk.yaml', '--yes', '--output', 'json');
  expect(applied.json()).toMatchObject({
    applied: true,
    manifests: [{ joins: { rollout, segments: [{ segment: 'vip', first: { step: 3, percent: 100 } }] } }],
  });

  const status = await auditor('rollout', 'status', 'desk');
  expect(status.flat).toMatch(/vip 0 % 1 waiting, joined on day \d+/);
  expect(status.flat).toMatch(/default 100 % 2 exposed, fewer people since day \d+/);
  expect(tooLong(status.out)).toEqual([]);
  await auditor('rollout', 'report', 'desk', '--out', 'joined.html');
  const html = readFileSync(join(cli.cwd, 'joined.html'), 'utf8');
  expect(html).toMatch(/<h2>Joined later<\/h2>[\s\S]*<li>vip: joined on day \d+<\/li>/);
});
