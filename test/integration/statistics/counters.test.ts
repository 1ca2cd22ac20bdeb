import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { earnedCounts } from '../../../src/autonomy/evidence.ts';
import { recountOnce } from '../../../src/db/recount.ts';
import { AppError } from '../../../src/errors.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { foldCounts } from '../../../src/records/counters.ts';
import { approvalStats } from '../../../src/statistics/approvals.ts';
import { readPosture } from '../../../src/statistics/posture.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import {
  actorOf,
  agentActor,
  approverActor,
  askInput,
  givenAdopted,
  givenRelease,
  managerActor,
} from '../../support/fixtures.ts';
import { type Random, seeded } from '../../support/seeded.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenAutonomy } from '../approvals/given-autonomy.ts';
import { approvalsOfHistory } from './approval-history.ts';
import { expectRecountedBusiness } from './business-rows.ts';
import { earnedOfHistory, postureOfHistory, volumeOfHistory } from './history.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FACTS = 250;
/** What is done is done to one of so many. */
const LATELY = 8;

const AGENT = `agent: desk
people: { olga: {}, ana: {}, ben: {}, cleo: {} }
owners: [olga]
onCall: [cleo]
approvers: { desk: [ana, ben] }
attributes: { tier: string }
segments: [{ name: gold, when: 'context.tier == "gold"' }]
metrics:
  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true, denials: true }
tools:
  lookup: { kind: read, args: { type: object, properties: { id: { type: string } } } }
  cancel: { kind: write, args: { type: object, properties: { id: { type: string } } } }
  pay: { kind: write, args: { type: object, properties: { id: { type: string } } } }
`;
const EARN = 'earn: { decided: 5000, above: 0.9, matureAfter: 1d }';
const release = (version: number, pay: string) => `agent: desk
release: ${version}
grants:
  - { tool: lookup }
  - { tool: cancel, approval: desk, ${EARN} }
  - { tool: pay, approval: ${pay} }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.05, reason: twice what the desk gets wrong }]
  constrained: [{ days: 30, exposure: { '*': 100 }, writes: as-granted }]
  scale: [{ days: 30, exposure: { '*': 100 } }]
`;

/** Facts of every kind, in no order; what is refused is no fact. */
class Facts {
  private readonly ids: string[] = [];
  private count = 0;
  constructor(
    private readonly services: TestServices,
    private readonly random: Random,
  ) {}

  private pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)] as T;
  }

  private some(): Promise<ActionRow> {
    return actionById(this.services.db.sql, this.pick(this.ids.slice(-LATELY)));
  }

  private async ask(): Promise<void> {
    const actor = agentActor({ attributes: { tier: this.pick(['gold', 'other']) } });
    const n = String(this.count++);
    const input = {
      tool: this.pick(['lookup', 'cancel', 'cancel', 'pay']),
      subject: this.pick(['mia', 'leo', 'zoe', 'kim']),
      agentVersion: this.pick(['1.0.0', '1.0.1']),
      idempotencyKey: n,
      args: { id: n },
    };
    const { action } = await askAction(this.services, actor, askInput(input));
    this.ids.push(action.id);
  }

  /** Asked, approved by one, begun, and by chance completed. */
  private async through(): Promise<void> {
    await this.ask();
    const id = this.ids.at(-1) ?? '';
    const done = { id, executionId: id };
    if ((await actionById(this.services.db.sql, id)).state === 'pending')
      await answerAction(this.services, approverActor(), { id, verdict: 'approve' });
    await beginAction(this.services, agentActor(), done);
    if (this.random() < 0.5)
      await completeAction(this.services, agentActor(), { ...done, ok: this.random() < 0.8 });
  }

  private async edit(): Promise<void> {
    const { id, args_digest: digest, revision } = await this.some();
    const args = { id: `edited ${this.count++}` };
    await editAction(this.services, approverActor('ben'), { id, args, digest, revision });
  }

  private async takenBack(): Promise<void> {
    const slice = {
      agent: 'desk',
      release: '1',
      grant: 'cancel-2',
      tool: 'cancel',
      segment: 'gold',
      agentVersion: '1.0.0',
    };
    await givenAutonomy(this.services, 'allow', slice);
    await this.services.db.sql
      .updateTable('autonomy')
      .set({ evidence_from: this.services.clock.now(), state: this.pick(['ask', 'allow']) })
      .execute();
  }

  /** As if the card had reached some, and one had opened it. */
  private async shown(): Promise<void> {
    const { db, clock } = this.services;
    const { id } = await this.some();
    const people = this.pick([['ana'], ['ana', 'ben'], ['cleo']]);
    const reach = JSON.stringify({ state: 'delivered', people, at: '' });
    await db.sql.updateTable('action').set({ reach }).where('id', '=', id).execute();
    const seen = { action_id: id, person: 'ana', at: clock.now(), via: 'web' } as const;
    await db.sql
      .insertInto('seen')
      .values(seen)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  private async incident(): Promise<void> {
    const { db, clock } = this.services;
    await db.sql
      .insertInto('incident')
      .values({
        id: `i-${this.count++}`,
        agent: 'desk',
        segment: this.pick([null, 'gold']),
        title: 't',
        opened_at: clock.now(),
        opened_by: 'ana',
        evidence: '{}',
      })
      .execute();
  }

  /** One more. */
  async next(): Promise<void> {
    const { services } = this;
    const { clock } = services;
    clock.advance(1 + Math.floor(this.random() * (this.random() < 0.05 ? 3 * HOUR_MS : HOUR_MS / 60)));
    const at = this.random();
    if (this.ids.length < 10 || at < 0.25) return this.ask();
    const { id } = await this.some();
    const done = { id, executionId: id };
    const reason = 'as said';
    const work: [number, () => Promise<unknown>][] = [
      [0.37, () => this.through()],
      [0.5, () => answerAction(services, approverActor(), { id, verdict: 'approve' })],
      [0.55, () => answerAction(services, approverActor(), { id, verdict: 'deny', reason })],
      [0.59, () => this.edit()],
      [0.61, () => withdrawAction(services, agentActor(), { id })],
      [0.74, () => beginAction(services, agentActor(), done)],
      [0.85, () => completeAction(services, agentActor(), { ...done, ok: this.random() < 0.8 })],
      [0.9, () => correctAction(services, approverActor(), { id, reason })],
      [0.915, () => sweepActions(services)],
      [0.93, () => this.shown()],
      [0.94, () => this.incident()],
      [0.96, () => this.takenBack()],
      [0.97, () => eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'kim', reason })],
      [1, () => foldCounts(services.db.sql, services.dayMs)],
    ];
    await work
      .find(([below]) => at < below)?.[1]()
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
      });
  }
}

/** Posture as it is counted, by the names of the history. */
async function countedPosture({ db, clock }: TestServices) {
  const [posture] = await readPosture(db.sql, clock.now(), 'desk');
  return posture?.segments.map(({ segment, replayable, writesConfirmed, perActionCredential, unpaired }) => ({
    segment,
    actions: replayable.of,
    kept: replayable.part,
    begun: writesConfirmed.of,
    confirmed: writesConfirmed.part,
    credentialed: perActionCredential.part,
    unpaired,
  }));
}

async function countedVolume({ db }: TestServices, rollout: string, tool: string | null, proposals: boolean) {
  const { rows } =
    await sql`SELECT segment, writes, unasked FROM baseline_volume(${rollout}, ${tool}, ${proposals})
    ORDER BY segment`.execute(db.sql);
  return rows;
}

describeWithServices('what is counted as it happens', (make) => {
  test.each([1, 2, 3])('is what the history says, whatever happened in which order: %i', async (seed) => {
    const services = await make();
    const { sql: db } = services.db;
    const { agent } = await givenAdopted(services, {
      agentYaml: AGENT,
      releaseYaml: release(1, `desk, ${EARN}`),
    });
    await givenRelease(services, agent, release(2, 'none'));
    const input = { agent: 'desk', release: '2', reason: 'try' };
    const { id } = await startRollout(services, managerActor(), input);
    const facts = new Facts(services, seeded(seed));
    const same = async () => {
      expect(await countedPosture(services)).toEqual(await postureOfHistory(db, services.clock.now()));
      for (const [grant, tool] of [
        ['cancel-2', 'cancel'],
        ['pay-3', 'pay'],
      ] as const) {
        const earning = { agent: 'desk', release: '1', grant, tool };
        const old = new Date(services.clock.now().getTime() + 2 * DAY_MS);
        expect(await earnedCounts(db, earning, old)).toEqual(await earnedOfHistory(db, earning));
      }
      const window = { agent: 'desk', days: 30 };
      const { agent, since, days, dayMs, ...stats } = await approvalStats(
        services,
        actorOf('auditor'),
        window,
      );
      expect(stats).toEqual(await approvalsOfHistory(db, { agent: 'desk', since }));
    };
    for (let n = 0; n < FACTS; n++) {
      await facts.next();
      if (n % 20 === 0) await same();
    }
    await same();
    await foldCounts(db, services.dayMs);
    await same();
    // As of a store that nobody had counted in; twice is once.
    await sql`INSERT INTO recount_due VALUES (clock_timestamp())`.execute(db);
    await recountOnce(db);
    await same();
    await recountOnce(db);
    await foldCounts(db, services.dayMs);
    await expectRecountedBusiness(services);
    await facts.next();
    await same();
    for (const tool of [null, 'cancel', 'pay'])
      for (const proposals of [true, false])
        expect(await countedVolume(services, id, tool, proposals)).toEqual(
          await volumeOfHistory(db, id, tool, proposals),
        );
    expect(
      await earnedOfHistory(db, { agent: 'desk', release: '1', grant: 'pay-3', tool: 'pay' }),
    ).not.toEqual([]);
    const posture = (await countedPosture(services)) ?? [];
    expect(posture.reduce((sum, { begun }) => sum + begun, 0)).toBeGreaterThan(10);
  });

  test('a right write is old enough when the quarter of its day is, and not before', async () => {
    const services = await make();
    const { sql: db } = services.db;
    await givenAdopted(services, { agentYaml: AGENT, releaseYaml: release(1, `desk, ${EARN}`) });
    const { action } = await askAction(services, agentActor(), askInput({ tool: 'pay', args: { id: '1' } }));
    await answerAction(services, approverActor(), { id: action.id, verdict: 'approve' });
    await beginAction(services, agentActor(), { id: action.id, executionId: 'e' });
    const { completed_at: done } = await completeAction(services, agentActor(), {
      id: action.id,
      executionId: 'e',
      ok: true,
    });
    await foldCounts(db, services.dayMs);
    const good = async (ms: number) => {
      const earning = { agent: 'desk', release: '1', grant: 'pay-3', tool: 'pay' };
      return (await earnedCounts(db, earning, new Date((done?.getTime() ?? 0) + ms)))[0]?.good;
    };
    expect(await good(-1)).toBe(0);
    expect(await good(6 * HOUR_MS)).toBe(1);
  });
});
