import { afterAll, beforeAll, expect, test } from 'vitest';
import { proposeCase } from '../../src/cases/propose.ts';
import { readCaseValue } from '../../src/domain/manifest/manifest.ts';
import { waitsOf } from '../../src/domain/rollout/phase.ts';
import { overdueBlocks } from '../../src/follow-ups/blocks.ts';
import { followUpById } from '../../src/follow-ups/find.ts';
import { commitFollowUp, proposeFollowUp } from '../../src/follow-ups/propose.ts';
import { claimFollowUp, dropFollowUp, verifyFollowUp, waiveFollowUp } from '../../src/follow-ups/settle.ts';
import { FACT_SOURCES } from '../../src/follow-ups/sources.ts';
import { sweepFollowUps } from '../../src/follow-ups/sweep.ts';
import { rolloutFacts } from '../../src/rollouts/facts.ts';
import {
  AGENT_YAML,
  actorOf,
  givenAdopted,
  givenAgent,
  givenRelease,
  RELEASE_2_YAML,
} from '../support/fixtures.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { startRollout } from '../support/start.ts';

const DAY_MS = 86_400_000;
let services: TestServices;
const owner = (person = 'olga') => actorOf(['release-manager', 'approver'], { person });
const now = () => services.clock.now();
const inDays = (days: number) => new Date(now().getTime() + days * DAY_MS);

beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services);
  const agent = await givenAgent(services, AGENT_YAML.replace('owners: [olga]', 'owners: [olga, cleo]'));
  await givenRelease(services, agent, RELEASE_2_YAML);
});
afterAll(() => services.close());

const promised = async (done: string, more: { severity?: 'high' } = {}) => {
  const { id } = await proposeFollowUp(services, owner(), { agent: 'desk', sentence: 'Add a limit', done });
  await commitFollowUp(services, owner(), { id, owner: 'olga', dueAt: inDays(3), ...more });
  return id;
};
const state = async (id: string) => (await followUpById(services.db.sql, owner(), id)).state;
const start = () => startRollout(services, owner(), { agent: 'desk', release: '2', reason: 'go' });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was refused',
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  );
const told = async () =>
  (await services.db.sql.selectFrom('alert').select('facts').where('kind', '=', 'follow_up.due').execute())
    .length;

test('a high one that is overdue: reminded, start refused, waived, refused again, done; and it holds wider steps', async () => {
  const id = await promised('case cancel-many is green', { severity: 'high' });
  services.clock.advance(1.5 * DAY_MS);
  await sweepFollowUps(services, {});
  expect(await told()).toBe(1);
  services.clock.advance(2 * DAY_MS);
  await sweepFollowUps(services, {});
  await sweepFollowUps(services, {});
  expect(await told()).toBe(2);
  expect(await refusal(start())).toContain(`follow-up ${id} of olga was due`);
  await waiveFollowUp(services, owner('cleo'), { id, reason: 'the vendor is late', until: inDays(1) });
  expect(await overdueBlocks(services.db.sql, 'desk', now())).toEqual([]);
  const { id: rollout } = await start();
  expect(waitsOf(await rolloutFacts(services, rollout)).map((wait) => wait.for)).not.toContain('follow-up');
  services.clock.advance(1.1 * DAY_MS);
  expect(waitsOf(await rolloutFacts(services, rollout)).map((wait) => wait.for)).toContain('follow-up');
  services.clock.advance(DAY_MS);
  await sweepFollowUps(services, { caseGreen: async () => true });
  expect(await state(id)).toBe('verified');
  expect(await overdueBlocks(services.db.sql, 'desk', now())).toEqual([]);
});

test('a predicate verifies it and no person can; a link needs a second one', async () => {
  const guarded = await promised('guardrail wrong exists');
  await claimFollowUp(services, owner(), { id: guarded }, {});
  expect(await state(guarded)).toBe('claimed');
  expect(await refusal(verifyFollowUp(services, owner('cleo'), { id: guarded }))).toContain(
    'its predicate does',
  );
  const linked = await promised('Talk to the vendor');
  expect(await refusal(claimFollowUp(services, owner(), { id: linked }, {}))).toContain('by a link');
  await claimFollowUp(services, owner(), { id: linked, link: 'https://example.com/7' }, {});
  expect(await refusal(verifyFollowUp(services, owner(), { id: linked }))).toContain('a second person');
  await verifyFollowUp(services, owner('cleo'), { id: linked });
  expect(await state(linked)).toBe('verified');
});

test('an idea binds nobody; a high promise is dropped by another owner than made it', async () => {
  const { id } = await proposeFollowUp(services, owner(), {
    agent: 'desk',
    sentence: 'Think',
    severity: 'high',
  });
  services.clock.advance(30 * DAY_MS);
  expect(await overdueBlocks(services.db.sql, 'desk', now())).toEqual([]);
  expect(
    await refusal(commitFollowUp(services, owner(), { id, owner: 'olga', dueAt: inDays(-1) })),
  ).toContain('past');
  expect(
    await refusal(commitFollowUp(services, owner(), { id, owner: 'nobody', dueAt: inDays(1) })),
  ).toContain('people');
  await commitFollowUp(services, owner(), { id, owner: 'olga', dueAt: inDays(1) });
  expect(await refusal(dropFollowUp(services, owner(), { id, reason: 'no' }))).toContain('another owner');
  await dropFollowUp(services, owner('cleo'), { id, reason: 'the tool is gone' });
  expect(await state(id)).toBe('not_doing');
});

test('a promise is committed to anew for more, never for less, nor handed on to be dropped', async () => {
  const id = await promised('guardrail wrong exists', { severity: 'high' });
  const anew = (more: object) =>
    refusal(commitFollowUp(services, owner(), { id, owner: 'olga', dueAt: inDays(2), ...more }));
  expect(await anew({ dueAt: inDays(4) })).toMatch(/^wrong_state: .*later day.*follow-ups waive/);
  expect(await anew({ severity: 'normal' })).toMatch(/^wrong_state: .*as high.*follow-ups waive/);
  expect(await anew({ owner: 'cleo' })).toBe('nothing was refused');
  expect(await refusal(dropFollowUp(services, owner(), { id, reason: 'no' }))).toContain('another owner');
  services.clock.advance(3 * DAY_MS);
  expect(await anew({})).toMatch(/^wrong_state: .*later day/);
  expect((await overdueBlocks(services.db.sql, 'desk', now())).map((one) => one.id)).toEqual([id]);
  const until = inDays(1);
  await waiveFollowUp(services, owner(), { id, reason: 'the tool is off', until });
  expect(await overdueBlocks(services.db.sql, 'desk', now())).toEqual([]);
  expect(await overdueBlocks(services.db.sql, 'desk', until)).toHaveLength(1);
});

test('one about a case is done when that case is admitted and green in what is in force', async () => {
  const read = readCaseValue({
    case: 'possible',
    agent: 'desk',
    kind: 'ask',
    says: 'A cancellation can be asked for',
    given: { tool: 'cancel', args: { id: 'made-up-1' }, attributes: { tier: 'gold' } },
    expect: { atMost: 'ask:1' },
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  await proposeCase(services, owner('cleo'), read.value);
  const id = await promised('case possible is green');
  await claimFollowUp(services, owner(), { id }, FACT_SOURCES);
  expect(await state(id)).toBe('claimed');
  const admitted = { admitted_at: now(), admitted_by: 'cleo', green_on: '1', green_digest: 'sha256:1' };
  await services.db.sql
    .updateTable('regression_case')
    .set({ state: 'admitted', ...admitted, schemas_digest: 'sha256:2', review_by: inDays(180) })
    .execute();
  await claimFollowUp(services, owner(), { id }, FACT_SOURCES);
  expect(await state(id)).toBe('verified');
});
