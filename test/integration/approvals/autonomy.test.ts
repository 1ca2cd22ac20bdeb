import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { earnedCounts } from '../../../src/autonomy/evidence.ts';
import { judgeAutonomy } from '../../../src/autonomy/judge.ts';
import { listAutonomy, type Slice } from '../../../src/autonomy/store.ts';
import { answerAutonomy, takeAutonomyBack } from '../../../src/autonomy/verbs.ts';
import type { Services } from '../../../src/services.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, approverActor, givenAsked, managerActor, onCallActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import type { TestServices } from '../../support/services.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, codeOf, deny, givenBank } from './support.ts';

const DAY_MS = 86_400_000;
const PAY = { tool: 'pay', args: { amount: 5, to: 'Mia' } };
const SLICE: Slice = {
  agent: 'desk',
  release: '1',
  grant: 'pay-1',
  tool: 'pay',
  segment: 'default',
  agentVersion: '1.0.0',
};
/** 40 right ones carry a lower bound above 0.8 at alpha 0.05. */
const EARN = 'earn: { decided: 20, above: 0.8, matureAfter: 1d';

const state = async (services: Services) => (await listAutonomy(services.db.sql, 'desk'))[0]?.state ?? 'ask';

async function run(services: Services, id: string): Promise<void> {
  await beginAction(services, agentActor(), { id, executionId: 'e' });
  await completeAction(services, agentActor(), { id, executionId: 'e', ok: true });
}

/** Writes that people approved, executed and old enough to count. */
async function givenRight(services: TestServices, count: number, agentVersion = '1.0.0'): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { action } = await givenAsked(services, { ...PAY, agentVersion });
    if (action.state === 'pending') await approve(services, action, 'ana');
    await run(services, action.id);
  }
  services.clock.advance(2 * DAY_MS);
}

let incidents = 0;

async function givenIncident({ db, clock }: TestServices, segment?: string): Promise<void> {
  await db.sql
    .insertInto('incident')
    .values({
      id: `i-${++incidents}`,
      agent: 'desk',
      segment: segment ?? null,
      title: 't',
      opened_at: clock.now(),
      opened_by: 'ana',
      evidence: '{}',
    })
    .execute();
}

describeWithServices('earned autonomy', (make) => {
  test('proposed when the evidence carries it, allowed when a person confirms, asked again at a wrong write', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN} }`);
    await givenRight(services, 15);
    expect(await judgeAutonomy(services)).toBe(0);
    await givenRight(services, 25);
    expect(await judgeAutonomy(services)).toBe(1);
    expect(await judgeAutonomy(services)).toBe(0);
    expect(await state(services)).toBe('proposed');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
    const answer = { slice: SLICE, accept: true, reason: 'looked at twenty' };
    expect(await codeOf(answerAutonomy(services, approverActor(), answer))).toBe('forbidden');
    await answerAutonomy(services, managerActor(), answer);

    const { action, outcome } = await givenAsked(services, PAY);
    expect(outcome).toBe('allowed');
    expect(action).toMatchObject({ decided_by: 'policy', earned: true, reasons: [{ code: 'earned' }] });
    expect((await givenAsked(services, { ...PAY, agentVersion: '1.0.1' })).outcome).toBe('pending');
    const { action: waiting } = await givenAsked(services, PAY);
    await run(services, action.id);
    // A wrong write or two: the bound falls below, and asking is back before the report is answered.
    let wrong = action;
    for (let n = 0; n < 6 && (await state(services)) === 'allow'; n++) {
      await correctAction(services, approverActor(), { id: wrong.id, reason: 'wrong customer' });
      const next = await givenAsked(services, PAY);
      if (next.outcome !== 'allowed') break;
      await run(services, next.action.id);
      wrong = next.action;
    }
    expect(await state(services)).toBe('ask');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
    services.clock.advance(-1);
    expect(await codeOf(beginAction(services, agentActor(), { id: waiting.id, executionId: 'e' }))).toBe(
      'autonomy_lost',
    );
    const kinds = await writtenLog(services.db.sql)
      .select(['kind', 'body'])
      .where('kind', 'like', 'autonomy.%')
      .orderBy('n')
      .execute();
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'autonomy.proposed',
      'autonomy.allowed',
      'autonomy.taken_back',
    ]);
    expect(JSON.parse(kinds[0]?.body ?? '')).toMatchObject({
      data: { evidence: { decided: 40, good: 40, bad: 0 } },
    });
  });

  test('young writes, edits, denials and what nobody decided carry nothing', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN}, automatic: true }`);
    await givenRight(services, 40);
    for (let n = 0; n < 12; n++) await deny(services, (await givenAsked(services, PAY)).action, 'ana');
    for (let n = 0; n < 30; n++) {
      const { action } = await givenAsked(services, PAY);
      await approve(services, action, 'ana');
      await run(services, action.id);
    }
    await judgeAutonomy(services);
    expect(await state(services)).toBe('ask');
    services.clock.advance(2 * DAY_MS);
    await judgeAutonomy(services);
    expect(await state(services)).toBe('ask');
  });

  test('a refusal, a person who takes it back and an incident begin the evidence anew', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN}, automatic: true }`);
    await givenRight(services, 40);
    await judgeAutonomy(services);
    expect(await state(services)).toBe('allow');
    await takeAutonomyBack(services, onCallActor(), { slice: SLICE, reason: 'something is odd' });
    await judgeAutonomy(services);
    expect(await state(services)).toBe('ask');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
    services.clock.advance(1);
    await givenRight(services, 40);
    await judgeAutonomy(services);
    expect(await state(services)).toBe('allow');
    await givenIncident(services);
    expect(await state(services)).toBe('ask');
    await judgeAutonomy(services);
    expect(await state(services)).toBe('ask');
  });

  test('an incident begins the evidence anew where it never carried a move, too, and only in its segment', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN}, automatic: true }`);
    await givenRight(services, 40);
    await givenIncident(services, 'elsewhere');
    expect(await earnedCounts(services.db.sql, SLICE, services.clock.now())).toMatchObject([{ good: 40 }]);
    await givenIncident(services);
    expect(await earnedCounts(services.db.sql, SLICE, services.clock.now())).toEqual([]);
    await judgeAutonomy(services);
    expect(await state(services)).toBe('ask');
  });

  test('an edit counts against it, though the agent takes its question back then', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN} }`);
    const { action } = await givenAsked(services, PAY);
    const { id, args_digest: digest, revision } = action;
    await editAction(services, approverActor(), { id, args: { ...PAY.args, amount: 4 }, digest, revision });
    await withdrawAction(services, agentActor(), { id });
    expect(await earnedCounts(services.db.sql, SLICE, services.clock.now())).toMatchObject([
      { decided: 0, good: 0, bad: 1 },
    ]);
  });

  test('judged again behind the gate: what people said meanwhile counts', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN}, automatic: true }`);
    await givenRight(services, 40);
    const now = services.clock.now();
    let judging: Promise<number> | undefined;
    await services.db.sql.transaction().execute(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(tx);
      judging = judgeAutonomy(services);
      const waits = sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      await expect.poll(async () => (await waits.execute(tx)).rows.length).toBe(1);
      await tx.updateTable('action').set({ corrected_at: now, corrected_by: 'ana' }).execute();
    });
    expect(await judging).toBe(0);
    expect(await state(services)).toBe('ask');
  });

  verifies('never:unrecorded-write', 'taken back, nothing that it allowed begins', async () => {
    const services = await make();
    await givenBank(services, 'desk', `${EARN}, automatic: true }`);
    await givenRight(services, 40);
    await judgeAutonomy(services);
    const { action } = await givenAsked(services, PAY);
    await takeAutonomyBack(services, onCallActor(), { slice: SLICE, reason: 'something is odd' });
    expect(await codeOf(beginAction(services, agentActor(), { id: action.id, executionId: 'e' }))).toBe(
      'autonomy_lost',
    );
  });
});
