import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { preflightNotes } from '../../../src/rollouts/preflight.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { readPosture } from '../../../src/statistics/posture.ts';
import { agentActor, askInput } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { givenExposed } from './support.ts';

let services: TestServices;
let rollout: string;
let asked = 0;
const ask = async (subject: string) =>
  (
    await askAction(
      services,
      agentActor(),
      askInput({ subject, idempotencyKey: `k-${asked++}`, args: { id: subject } }),
    )
  ).action;
const segmentsAt = (exposure: number) =>
  services.db.sql
    .updateTable('rollout_segment')
    .set({ exposure })
    .where('rollout_id', '=', rollout)
    .execute();

beforeAll(async () => {
  services = await createTestServices();
  rollout = await givenExposed(services, { newSubjectsPerHour: 20 });
  // Half of everybody: only then does the name decide.
  await segmentsAt(5_000);
  await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
});
afterAll(() => services.close());

describe('subjects that only the agent names', () => {
  test('above the rate of new ones stay in control, however many are tried at once', async () => {
    const tried = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(`try-${n}`)));
    const admitted = tried.filter(({ bucket }) => bucket !== null);
    expect(admitted).toHaveLength(20);
    const candidate = tried.filter(({ arm }) => arm === 'candidate').map(({ summary }) => summary);
    expect(candidate.length).toBeGreaterThan(2);
    expect(candidate.length).toBeLessThan(18);
  });

  test('keep their arm: a surplus one is not let in later, an admitted one not put out', async () => {
    services.clock.advance(2 * 3_600_000);
    const before = await services.db.sql.selectFrom('rollout_subject').select('admitted').execute();
    const again = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(`try-${n}`)));
    expect(again.filter(({ bucket }) => bucket !== null)).toHaveLength(20);
    expect(await services.db.sql.selectFrom('rollout_subject').select('admitted').execute()).toEqual(before);
    const next = await Promise.all(Array.from({ length: 30 }, (_, n) => ask(`next-${n}`)));
    expect(next.filter(({ bucket }) => bucket !== null)).toHaveLength(20);
  });

  test('are one however they are spelled', async () => {
    services.clock.advance(2 * 3_600_000);
    const spelled = await Promise.all(['Ren\u00e9e', 'Rene\u0301e ', '\u200bRen\u00e9e\u00a0'].map(ask));
    expect(new Set(spelled.map(({ subject_digest }) => subject_digest)).size).toBe(1);
    expect(new Set(spelled.map(({ bucket }) => bucket)).size).toBe(1);
  });

  test("are said to be the agent's word by status, posture and preflight", async () => {
    const { subjects } = await rolloutStatus(services, rollout);
    expect(subjects).toMatchObject({ agentsWord: ['gold', 'silver', 'default'], perHour: 20, surplus: 190 });
    const [posture] = await readPosture(services.db.sql, services.clock.now(), 'desk');
    expect(posture?.agentsWord).toEqual(['gold', 'silver', 'default']);
    const [note] = await preflightNotes(services.db.sql, await rolloutById(services.db.sql, rollout));
    expect(note).toContain("exposure rests on the agent's word");
  });

  test('stand in the log with whose word it was', async () => {
    const { body } = await writtenLog(services.db.sql)
      .select('body')
      .where('kind', '=', 'action.asked')
      .orderBy('n', 'desc')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(body).data).toMatchObject({ subjectBy: 'agent' });
  });

  test('where everybody is exposed there is nothing to choose, and no limit', async () => {
    await segmentsAt(10_000);
    await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(`all-${n}`)));
    expect(all.every(({ arm }) => arm === 'candidate')).toBe(true);
  });
});
