import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { completeAction } from '../../../src/actions/complete.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { OPEN_PROPOSALS_MAX } from '../../../src/cases/from-people.ts';
import { suiteOf } from '../../../src/cases/store.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import {
  actorOf,
  agentActor,
  approverActor,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  givenRelease,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
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

// Guard: casesText() in warningsOf() (src/cli/apply-manifests.ts).
test('apply says which cases a release turns red, and stores it', async () => {
  const release = (version: number, approval: string) =>
    RELEASE_2_YAML.replace('release: 2', `release: ${version}`).replace('approval: none', approval);
  writeFileSync(join(cli.cwd, 'release-3.yaml'), release(3, 'approval: none'));
  const red = await mia('apply', 'release-3.yaml', '--yes');
  expect([red.code, red.flat]).toEqual([
    0,
    expect.stringMatching(/! case unasked is red: .* is not started/),
  ]);
  expect(red.flat).toContain('Applied.');
  writeFileSync(join(cli.cwd, 'release-4.yaml'), release(4, 'approval: desk'));
  expect((await mia('apply', 'release-4.yaml', '--yes')).flat).not.toContain('case ');
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

interface Listed {
  items: {
    case: string;
    because: string;
    covers: number;
    proposedBy: string;
    action?: string;
    incident?: string;
    body: object;
  }[];
}
const listed = async () =>
  (await mia('cases', 'list', 'desk', '--output', 'json')).json() as unknown as Listed;
const wordOf = async (because: string) => (await listed()).items.filter((one) => one.because === because);
const deny = async (more: object, reason?: string) => {
  const { id } = await givenPendingAction(cli.services, more);
  const why = reason === undefined ? {} : { reason };
  return (await answerAction(cli.services, approverActor(), { id, verdict: 'deny', ...why })).action;
};

// Guards: the condition on `seen` in answerAction, `counted()` and `digest: null` in src/cases/from-people.ts.
test('what people deny with a reason is proposed once, counted, and held to by nobody before it is written out', async () => {
  const before = await suiteOf(cli.services.db.sql, 'desk');
  await deny({ args: { id: 'R-77' } });
  expect(await wordOf('denied')).toEqual([]);
  await deny({ args: { id: 'R-78' } }, 'Ada Lovelace is still flying');
  const last = await deny({ args: { id: 'R-79' } }, 'not hers');
  const [one, ...others] = await wordOf('denied');
  if (!one) throw new Error('nothing is proposed');
  expect(others).toEqual([]);
  expect(one).toMatchObject({ proposedBy: 'ana', covers: 2, action: last.id });
  expect(JSON.stringify(one)).not.toMatch(/R-7|Ada|hers/);
  const text = (await mia('cases', 'list', 'desk', '--state', 'proposed')).flat;
  expect(text).toContain('denied by ana, and 1 more like it');
  const admit = ['cases', 'admit', 'desk', one.case, '--red-on', '2', '--green-on', '1'];
  expect((await tom(...admit)).code).not.toBe(0);
  expect(await suiteOf(cli.services.db.sql, 'desk')).toEqual(before);

  const from = [
    'cases',
    'add',
    '--from',
    `desk/${one.case}`,
    '--expect',
    'at-least=ask:1',
    '--twin',
    'possible',
  ];
  expect((await mia(...from, '--name', 'other')).err).toContain('keeps its name');
  const drafted = await mia(...from);
  expect(drafted.code, drafted.err).toBe(0);
  expect(readFileSync(join(cli.cwd, `cases/${one.case}.yaml`), 'utf8')).not.toMatch(/R-7|Ada|hers/);
  expect((await tom(...admit)).code).toBe(0);
  await deny({ args: { id: 'R-80' } }, 'again');
  expect(await wordOf('denied')).toMatchObject([{ case: one.case, covers: 3, proposedBy: 'ana' }]);
});

// Guard: hasRoom() in src/cases/from-people.ts. That a changed one is drafted as it was before (askedOf()) is not seen here: the
// note that was added is shrunk away either way.
test('what people change or report is proposed too, with its incident; and at most so many', async () => {
  const { services } = cli;
  const asked = await givenPendingAction(services, { args: { id: 'R-90' } });
  const shown = { digest: asked.args_digest, revision: asked.revision };
  await editAction(services, approverActor(), { id: asked.id, args: { id: 'R-90', note: 'x' }, ...shown });
  const [edited] = await wordOf('edited');
  expect(edited).toMatchObject({ proposedBy: 'ana', covers: 1, action: asked.id });
  const add = ['cases', 'add', '--from', `desk/${edited?.case}`, '--expect', 'at-most=ask:1'];
  const { json } = await mia(...add, '--output', 'json');
  expect(Object.keys((json() as { case: { given: { args: object } } }).case.given.args)).toEqual(['id']);

  const [first, second] = [await givenBegunAction(services), await givenBegunAction(services)];
  for (const { id } of [first, second])
    await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: true });
  await correctAction(services, approverActor('ben'), { id: first.id, reason: 'wrong guest' });
  const { sql } = services.db;
  const { incident_id } = await sql
    .selectFrom('incident_action')
    .select('incident_id')
    .where('action_id', '=', first.id)
    .executeTakeFirstOrThrow();
  const [reported] = await wordOf('corrected');
  expect(reported).toMatchObject({ proposedBy: expect.stringContaining('ben'), incident: incident_id });
  const gone = await mia('cases', 'retire', 'desk', reported?.case ?? '', '--reason', 'the clerk erred');
  expect(gone.code, gone.err).toBe(0);
  await correctAction(services, approverActor('ben'), { id: second.id, reason: 'again' });
  expect((await mia('cases', 'show', 'desk', reported?.case ?? '')).flat).toContain('is retired');

  const row = { agent: 'desk', kind: 'ask', body: '{}', state: 'proposed', because: 'denied' } as const;
  const at = { proposed_at: services.clock.now(), proposed_by: 'ana' };
  const open = Array.from({ length: OPEN_PROPOSALS_MAX }, (_, n) => ({ ...row, ...at, name: `open-${n}` }));
  await sql.insertInto('regression_case').values(open).execute();
  const refund = await deny({ tool: 'refund', args: { amount: 1 } }, 'too much');
  expect((await wordOf('denied')).some(({ action }) => action === refund.id)).toBe(false);
  await sql.deleteFrom('regression_case').where('name', 'like', 'open-%').execute();
  const other = await deny({ tool: 'refund', args: { amount: 2 } }, 'too much');
  expect((await wordOf('denied')).some(({ action }) => action === other.id)).toBe(true);
});
