import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { actorOf, givenAdopted, givenAsked, givenRelease, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

let cli: CliHarness;
let mia: Run;
let tom: Run;

beforeAll(async () => {
  cli = await startCliHarness();
  const { agent } = await givenAdopted(cli.services);
  await givenRelease(cli.services, agent, RELEASE_2_YAML);
  [mia, tom] = [await cli.as('mia', 'release-manager'), await cli.as('tom', 'release-manager')];
});
afterAll(() => cli.close());

const ask = async (id: string, subject = 'Ada Lovelace'): Promise<string> =>
  (await givenAsked(cli.services, { subject, args: { id } })).action.id;
const add = (run: Run, action: string, name: string, ...more: string[]) =>
  run('cases', 'add', '--action', action, '--name', name, ...more);

test('one is made of an action with nothing of a person, proposed, admitted and exported', async () => {
  const action = await ask('R-4711-ADA');
  const possible = await add(mia, action, 'possible', '--expect', 'at-most=ask:1');
  expect(possible.code, possible.err).toBe(0);
  const floor = ['--expect', 'at-least=ask:1', '--twin', 'possible'];
  expect((await add(mia, action, 'unasked', ...floor)).flat).toContain('On release 1 it is green');
  const file = readFileSync(join(cli.cwd, 'cases/unasked.yaml'), 'utf8');
  expect(file).not.toMatch(/R-4711|Ada/);
  expect(parse(file)).toMatchObject({
    expect: { atLeast: 'ask:1' },
    from: [action],
    given: { tool: 'cancel' },
  });
  expect(await add(mia, action, 'unasked', ...floor)).toMatchObject({
    code: 2,
    err: expect.stringContaining('is there already'),
  });

  const admitted = await tom('cases', 'admit', 'desk', 'unasked', '--red-on', '2', '--green-on', '1');
  expect(admitted.code, admitted.err).toBe(0);
  const asked = ['cases', 'retire', 'desk', 'unasked', '--reason', 'x'];
  expect((await mia(...asked)).flat).toContain('retire asked by mia: a second person says the same');
  expect((await tom('cases', 'show', 'desk', 'unasked')).flat).toContain('admitted by tom');
  expect((await mia('cases', 'import', 'desk', 'cases')).code).toBe(0);
  expect((await tom('cases', 'export', 'desk', 'out')).out).toContain('Wrote 2 of 2 cases');
  expect(parse(readFileSync(join(cli.cwd, 'out/unasked.yaml'), 'utf8'))).toEqual(parse(file));
});

// Guard: `expect` comes from the request alone (src/cases/draft.ts); with JSON no file is written.
test('what was recorded is never the expectation, and JSON writes no file', async () => {
  const action = await ask('R-1');
  const { code, json } = await add(mia, action, 'deny-it', '--expect', 'at-most=deny', '--output', 'json');
  expect([code, json()]).toEqual([
    0,
    expect.objectContaining({
      case: expect.objectContaining({ expect: { atMost: 'deny' } }),
      kept: [],
      proposed: true,
    }),
  ]);
  expect(existsSync(join(cli.cwd, 'cases/deny-it.yaml'))).toBe(false);
});

// Guard: `privateOf` is undefined in draftCase (src/cases/draft.ts).
test('of what is erased, unknown or without a twin none is made', async () => {
  const action = await ask('R-2', 'bob');
  const bound = ['--expect', 'at-most=ask:1'];
  const lonely = await add(mia, action, 'lonely', '--expect', 'at-least=ask:1');
  expect(lonely.err).toContain('has no twin');
  expect((await add(mia, action, 'wrong', '--expect', 'more=ask')).err).toContain('is no bound');
  await eraseSubject(cli.services, actorOf('admin'), { agent: 'desk', subject: 'bob', reason: 'x' });
  const erased = await add(mia, action, 'erased', ...bound);
  expect([erased.code, erased.err]).toEqual([1, expect.stringContaining('what was asked is erased')]);
  const unknown = await mia('cases', 'add', '--from', 'inc-none', '--name', 'none', ...bound);
  expect(unknown.err).toContain('inc-none');
  expect(existsSync(join(cli.cwd, 'cases/erased.yaml'))).toBe(false);
});
