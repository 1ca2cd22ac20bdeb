import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logEntry } from '../../../src/log/read.ts';
import { appendEntry } from '../../../src/records/log-entry.ts';
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
