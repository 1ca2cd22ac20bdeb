import { afterAll, beforeAll, expect, test } from 'vitest';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { givenAutonomy } from '../approvals/given-autonomy.ts';
import { givenBank } from '../approvals/support.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

const SLICE = [
  '--release',
  '1',
  '--grant',
  'pay-1',
  '--tool',
  'pay',
  '--segment',
  'default',
  '--agent-version',
  '1.0.0',
];
const REASON = ['--reason', 'seen in week 12'];

let cli: CliHarness;
let [olga, cleo, ana]: Run[] = [];
const run = (who: Run | undefined, ...argv: string[]) => (who as Run)('autonomy', ...argv);

beforeAll(async () => {
  cli = await startCliHarness();
  await givenBank(cli.services, 'desk', 'earn: { decided: 20, above: 0.8 }');
  olga = await cli.as('olga', 'release-manager');
  cleo = await cli.as('cleo', 'on-call');
  ana = await cli.as('ana', 'approver');
});
afterAll(() => cli.close());

test('list says that nothing has earned anything yet', async () => {
  expect((await run(ana, 'list')).out).toContain('Nothing has earned anything yet');
  expect((await run(ana, 'list', '--output', 'json')).json()).toEqual([]);
});

test('take-back of what asks already is refused, and says so', async () => {
  const refused = await run(cleo, 'take-back', 'desk', ...SLICE, ...REASON);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toContain('asks people already');
  expect(refused.err).toContain('Code: wrong_state');
});

test('another agent’s list is empty, and a name that cannot be is refused', async () => {
  expect((await run(ana, 'list', 'nobody')).out).toContain('Nothing has earned');
  expect(await run(ana, 'list', 'no name')).toMatchObject({ code: 2 });
});

test('every part of the slice and a reason are needed', async () => {
  for (const name of ['confirm', 'refuse', 'take-back'])
    for (let at = 0; at < SLICE.length; at += 2)
      expect(await run(olga, name, 'desk', ...SLICE.toSpliced(at, 2), ...REASON)).toMatchObject({ code: 2 });
  expect(await run(olga, 'confirm', 'desk', ...SLICE)).toMatchObject({ code: 2 });
  expect(await run(olga, 'confirm', 'desk', ...SLICE, '--reason', ' ')).toMatchObject({ code: 2 });
});

test('list shows what is proposed with its evidence, in 80 columns', async () => {
  await givenAutonomy(cli.services, 'proposed');
  const { out, flat } = await run(ana, 'list', 'desk');
  expect(tooLong(out.replace(/^ {2}portcullis .*$/m, ''))).toEqual([]);
  for (const words of [
    'pay of desk',
    'version 1.0.0',
    'release 1, grant pay-1',
    'proposed',
    '40 right, 0 not',
    'lower bound 0.832000',
    'needs 0.8',
    'by judge',
  ])
    expect(out).toContain(words);
  expect(flat).toContain(`portcullis autonomy confirm desk ${SLICE.join(' ')} --reason`);
  const [one] = (await run(ana, 'list', '--output', 'json')).json<Record<string, unknown>[]>();
  expect(one).toMatchObject({ agent: 'desk', state: 'proposed', agentVersion: '1.0.0' });
});

test('confirm is for release managers, and for evidence that still carries it', async () => {
  for (const who of [ana, cleo])
    expect(await run(who, 'confirm', 'desk', ...SLICE, ...REASON)).toMatchObject({ code: 3 });
  const early = await run(olga, 'confirm', 'desk', ...SLICE, ...REASON);
  expect(early).toMatchObject({ code: 1 });
  expect(early.err).toContain('the evidence no longer carries');
});

test('refuse goes on asking', async () => {
  const refused = await run(olga, 'refuse', 'desk', ...SLICE, ...REASON);
  expect(refused).toMatchObject({ code: 0 });
  expect(refused.out).toBe('"pay" asks people in segment "default".\n');
  expect((await run(ana, 'list')).out).toContain('by olga');
});

test('take-back asks people again, at once', async () => {
  await givenAutonomy(cli.services, 'allow');
  expect(await run(ana, 'take-back', 'desk', ...SLICE, ...REASON)).toMatchObject({ code: 3 });
  const back = await run(cleo, 'take-back', 'desk', ...SLICE, ...REASON, '--output', 'json');
  expect(back.json()).toEqual({ state: 'ask' });
  const { out } = await run(ana, 'list');
  expect(out).toContain('by cleo');
  expect(tooLong(out)).toEqual([]);
});
