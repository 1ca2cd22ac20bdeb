import { afterAll, beforeAll, expect, test } from 'vitest';
import { approverActor, givenAdopted, givenBegunAction } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, type Run, startCliHarness } from './harness.ts';

let cli: CliHarness;
let olga: Run;

beforeAll(async () => {
  cli = await startCliHarness();
  await givenAdopted(cli.services);
  olga = await cli.as('olga', 'release-manager');
});
afterAll(() => cli.close());

test('apply says that a later release goes by a rollout; status without one says how to start', async () => {
  expect((await cli.run('rollout', 'status')).out).toContain('portcullis rollout start');
  const applied = await olga('apply', 'release-2.yaml', '--yes');
  expect(applied.out).toContain('  - grant cancel: asks desk');
  expect(applied.out).toContain('  + grant cancel: runs unasked');
  expect(applied.out).toContain('portcullis rollout start desk 2');
});

test('a release is immutable: apply refuses another content before it applies anything', async () => {
  const { writeFileSync } = await import('node:fs');
  const { RELEASE_2_YAML } = await import('../../support/fixtures.ts');
  writeFileSync(`${cli.cwd}/changed.yaml`, RELEASE_2_YAML.replace('0.2', '0.3'));
  const refused = await olga('apply', 'changed.yaml', '--yes');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toContain('a release is immutable');
});

test('start says what is to be expected, and in a terminal it is confirmed', async () => {
  const start = ['rollout', 'start', 'desk', '2', '--reason', 'x', '--none-yet', 'x'];
  const refused = await cli.runWith({ answers: [false] }, ...start);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.out).toContain('Nothing was started.');
  expect(refused.err).toContain('Start release 2 of desk?');
  expect(refused.err.replace(/\s+/g, ' ')).toContain('is stopped by mistake in at most 5 % of rollouts');
  expect((await cli.run('rollout', 'status', 'desk')).err).toContain('There is no rollout');
});

test('start, and status says what it waits for, against plan, per segment', async () => {
  const forbidden = await (await cli.as('ben', 'approver'))('rollout', 'start', 'desk', '2', '--reason', 'x');
  expect(forbidden).toMatchObject({ code: 3 });
  const started = await olga(
    'rollout',
    'start',
    'desk',
    '2',
    '--reason',
    'a quiet quarter',
    '--none-yet',
    'nothing has gone wrong',
    '--output',
    'json',
  );
  expect(started.code).toBe(0);
  const { id } = started.json<{ id: string }>();
  const status = await olga('rollout', 'status', 'desk');
  expect(status.out).toContain(`Rollout ${id}: release 2 of desk, running`);
  expect(status.out).toContain('day 1 of 90');
  expect(status.out).toContain('time: 30.0 days of 30');
  expect(status.out).toMatch(/gold\s+0 %\s+1\s+waiting/);
  expect(tooLong(status.out)).toEqual([]);
  expect((await olga('rollout', 'status', id, '--output', 'json')).json()).toMatchObject({ id, step: 1 });
  expect((await olga('rollout', 'status')).out).toContain(id);
});

test('verbs take the agent, and say when nothing changed', async () => {
  expect((await olga('rollout', 'pause', 'desk', '--reason', 'holiday')).out).toContain('paused');
  expect((await olga('rollout', 'pause', 'desk', '--reason', 'holiday')).out).toContain('Nothing changed');
  expect((await olga('rollout', 'status', 'desk')).out).toContain('portcullis rollout resume');
  expect(await olga('rollout', 'resume', 'desk', '--reason', 'back')).toMatchObject({ code: 0 });
  const early = await olga('rollout', 'approve-gate', 'desk', '--reason', 'go');
  expect(early).toMatchObject({ code: 1 });
  expect(early.err).toContain('Code: gate_not_ready');
  expect(await olga('rollout', 'reenter', 'desk', '--segment', 'gold', '--reason', 'x')).toMatchObject({
    code: 1,
  });
  expect(await olga('rollout', 'rollback', 'desk', '--segment', 'lead', '--reason', 'x')).toMatchObject({
    code: 2,
  });
  expect(await olga('rollout', 'status', 'nobody')).toMatchObject({ code: 2 });
});

test('a segment is rolled back, excluded; then all of it', async () => {
  const omar = await cli.as('cleo', 'on-call');
  const back = await omar(
    'rollout',
    'rollback',
    'desk',
    '--segment',
    'gold',
    '--reason',
    'complaints',
    '--output',
    'json',
  );
  expect(back.json()).toMatchObject({ verb: 'rollback', changed: true });
  expect((await olga('rollout', 'status', 'desk')).out).toMatch(/gold\s+0 %\s+1\s+rolled back/);
  expect((await olga('rollout', 'exclude', 'desk', '--segment', 'gold', '--reason', 'later')).out).toContain(
    'keeps the old release',
  );
  expect((await omar('rollout', 'rollback', 'desk', '--reason', 'enough')).out).toContain(
    'rolled back and ended',
  );
  expect((await olga('rollout', 'status', 'desk')).out).toContain('Waits for nothing: it is over.');
});

test('rollback by the agent finds the release in force, beside a newer rollout that is over', async () => {
  const { sql } = cli.services.db;
  const newer = await sql.selectFrom('rollout').selectAll().executeTakeFirstOrThrow();
  const at = new Date(cli.services.clock.now().getTime() - 1_000);
  const over = { status: 'completed', ended_at: at, watch_until: at, watch_ended_at: at } as const;
  const plan = JSON.stringify(newer.plan);
  await sql
    .insertInto('rollout')
    .values({
      ...{
        id: 'desk-old',
        agent: 'desk',
        release: '2',
        salt: 's',
        digests: '{}',
        started_by: 'olga',
        reason: 'x',
      },
      ...{ plan, started_at: at, step_index: 2, step_elapsed_ms: 0, revision: 1, ...over },
    })
    .execute();
  await sql
    .insertInto('rollout_segment')
    .values({
      ...{ rollout_id: 'desk-old', segment: 'gold', state: 'exposed', exposure: 10_000 },
      ...{ generation: 1, changed_at: at },
    })
    .execute();
  await sql.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'gold').execute();
  const onCall = await cli.as('cleo', 'on-call');
  const rollback = ['rollout', 'rollback', 'desk', '--segment', 'gold', '--reason', 'wrong rooms'];
  expect((await onCall(...rollback)).out).toContain('gold is back on release 1');
  expect(await onCall(...rollback)).toMatchObject({ code: 1 });
});

test('outcomes are recorded one by one or by file, and repeating changes nothing', async () => {
  const { id } = await givenBegunAction(cli.services);
  const one = ['outcome', 'record', 'desk', '--action', id, '--metric', 'wrong', '--value', '1'];
  expect((await cli.run(...one)).out).toContain('Recorded 1 of 1.');
  expect((await cli.run(...one)).out).toContain('Recorded 0 of 1, 1 were there before.');
  expect(await cli.run(...one.with(-1, '0'))).toMatchObject({ code: 1 });
  const { writeFileSync } = await import('node:fs');
  const line = (n: number) => JSON.stringify({ id: `o-${n}`, action: id, metric: 'wrong', value: 0 });
  writeFileSync(
    `${cli.cwd}/outcomes.jsonl`,
    `${Array.from({ length: 501 }, (_, n) => line(n)).join('\n')}\n`,
  );
  const many = await cli.run('outcome', 'record', 'desk', '--file', 'outcomes.jsonl', '--output', 'json');
  expect(many.json()).toEqual({ recorded: 501, repeated: 0 });
  writeFileSync(`${cli.cwd}/broken.jsonl`, `${line(1)}\n{"id": 1}\nnonsense\n`);
  const broken = await cli.run('outcome', 'record', 'desk', '--file', 'broken.jsonl');
  expect(broken).toMatchObject({ code: 2 });
  expect(broken.err).toContain('broken.jsonl:2 needs "id" as text\nbroken.jsonl:3 is not JSON');
});

test('posture shows each segment, and what is switched off', async () => {
  const { pullSwitch } = await import('../../../src/switches/disable.ts');
  await pullSwitch(cli.services, approverActor().id, { scope: 'tool/desk/refund', reason: 'storm' });
  const posture = await cli.run('posture', 'desk');
  expect(posture.out).toMatch(/SWITCHED OFF\n {2}- tool\/desk\/refund since .* by ana: storm/);
  expect(posture.out).toMatch(/gold\s+1\s+100 % of 1\s+100 % of 1\s+100 % of 1\s+0/);
  expect(tooLong(posture.out)).toEqual([]);
  expect((await cli.run('posture', '--output', 'json')).json()).toMatchObject({
    agents: [{ agent: 'desk' }],
  });
  expect(await cli.run('posture', 'nobody')).toMatchObject({ code: 2 });
});
