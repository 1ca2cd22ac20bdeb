import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeAction } from '../../../src/actions/complete.ts';
import { saltedDigest } from '../../../src/domain/digest.ts';
import { privateOf } from '../../../src/records/action.ts';
import {
  agentActor,
  givenAdopted,
  givenApprovedAction,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
} from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { credentialsOf, entries, row } from './support.ts';

let services: TestServices;

beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services);
});
afterAll(() => services.close());

const complete = (
  { id }: { id: string },
  more: Partial<Parameters<typeof completeAction>[2]> = {},
  actor = agentActor(),
) => completeAction(services, actor, { id, executionId: 'e-1', ok: true, ...more });

test('what came of it is kept, digested with the salt, and its credential is over', async () => {
  const action = await givenBegunAction(services);
  const result = { refund: 'R-1', lines: ['é😀', 'a\0b'], n: 1.5, nothing: null };
  const done = await complete(action, { result });
  const kept = await privateOf(services.db.sql, action.id);
  expect(done).toMatchObject({
    state: 'executed',
    revision: action.revision + 1,
    completed_at: services.clock.now(),
    result_digest: saltedDigest(Buffer.from(kept?.salt ?? ''), result),
    error_code: null,
  });
  expect(JSON.parse(kept?.result ?? '')).toEqual(result);
  expect(done).toEqual(await row(services, action));
  expect((await credentialsOf(services, action)).every(({ revoked_at }) => revoked_at !== null)).toBe(true);
  expect(await entries(services, action.id, 'action.executed')).toMatchObject([
    { data: { from: 'executing', to: 'executed', resultDigest: done.result_digest } },
  ]);
});

test('without a result its digest is that of null, and none is kept', async () => {
  const action = await givenBegunAction(services);
  const done = await complete(action);
  const kept = await privateOf(services.db.sql, action.id);
  expect(done.result_digest).toBe(saltedDigest(Buffer.from(kept?.salt ?? ''), null));
  expect(kept?.result).toBeNull();
});

test('the same report again changes nothing; another one is refused', async () => {
  const action = await givenBegunAction(services);
  const done = await complete(action, { ok: false, error: 'no_seat' });
  expect(done).toMatchObject({ state: 'failed', error_code: 'no_seat' });
  services.clock.advance(1_000);
  expect(await complete(action, { ok: false, error: 'other' })).toEqual(done);
  expect(await row(services, action)).toEqual(done);
  await expect(complete(action)).rejects.toMatchObject({
    code: 'wrong_state',
    message: `Cannot complete action ${action.id}: it is failed`,
    details: { state: 'failed' },
  });
  await expect(complete(action, { ok: false, executionId: 'e-2' })).rejects.toMatchObject({
    message: `Cannot complete action ${action.id}: it is failed`,
  });
  expect(await entries(services, action.id, 'action.failed')).toHaveLength(1);
});

test('reports at the same time count once', async () => {
  const action = await givenBegunAction(services);
  const all = await Promise.all(Array.from({ length: 6 }, () => complete(action)));
  expect(new Set(all.map(({ revision }) => revision))).toEqual(new Set([action.revision + 1]));
  expect(await entries(services, action.id, 'action.executed')).toHaveLength(1);
});

test('a late report of what nobody heard of is taken', async () => {
  const action = await givenBegunAction(services);
  await sql`SELECT move_action(${action.id}, 'executing', ${action.revision}, 'unknown', 'action.unknown',
    ${services.clock.now()}, 'policy', '{}')`.execute(services.db.sql);
  await expect(complete(action, { executionId: 'e-2' })).rejects.toMatchObject({
    code: 'wrong_state',
    message: `Cannot complete action ${action.id}: it was begun by another execution`,
  });
  expect(await complete(action)).toMatchObject({ state: 'executed' });
});

test('what has not begun, is nobody’s or another agent’s cannot be completed', async () => {
  const begun = await givenBegunAction(services);
  const { action: read } = await givenAsked(services, { tool: 'lookup', args: {} });
  for (const action of [await givenPendingAction(services), await givenApprovedAction(services), read])
    await expect(complete(action)).rejects.toMatchObject({
      code: 'wrong_state',
      message: `Cannot complete action ${action.id}: it is ${action.state}`,
    });
  const missing = crypto.randomUUID();
  for (const [id, actor] of [
    [begun.id, agentActor({ agent: 'other' })],
    [missing, agentActor()],
    ['R-1', agentActor()],
  ] as const)
    await expect(complete({ id }, {}, actor)).rejects.toMatchObject({
      code: 'not_found',
      message: `There is no action "${id}"`,
    });
  await expect(complete(begun, {}, agentActor({ roles: ['approver'] }))).rejects.toMatchObject({
    code: 'forbidden',
  });
  expect(await row(services, begun)).toMatchObject({ state: 'executing' });
});
