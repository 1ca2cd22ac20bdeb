import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { listActions } from '../../../src/actions/list.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { earnedCounts } from '../../../src/autonomy/evidence.ts';
import { periodOf } from '../../../src/domain/period.ts';
import { lastWholeWeek } from '../../../src/domain/review/iso-week.ts';
import { readLog } from '../../../src/log/read.ts';
import { verifyLog } from '../../../src/log/verify.ts';
import { recordOutcomes } from '../../../src/outcomes/record.ts';
import { actionById } from '../../../src/records/action.ts';
import { openRollout } from '../../../src/records/rollout.ts';
import { replayRelease } from '../../../src/replay/replay.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { weekFacts } from '../../../src/reviews/week-facts.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { lockBaseline } from '../../../src/rollouts/moves.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { approvalStats } from '../../../src/statistics/approvals.ts';
import { readBusiness } from '../../../src/statistics/business.ts';
import { readPosture } from '../../../src/statistics/posture.ts';
import { trafficOf } from '../../../src/statistics/traffic.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { readSystem } from '../../../src/system/read.ts';
import {
  AGENT_YAML,
  actorOf,
  agentActor,
  agentFrom,
  approverActor,
  askInput,
  givenAdopted,
  givenRelease,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
  RELEASE_YAML,
  releaseFrom,
} from '../fixtures.ts';
import type { TestServices } from '../services.ts';

/** Something that people or agents do, once; what it needs is there before. */
export interface Operation {
  name: string;
  holdsGate?: boolean;
  /** Why its cost grows with the store, where it must: its answer does. */
  proportional?: string;
  /** Makes what it needs, untimed. */
  prepare?(services: TestServices): Promise<string>;
  run(services: TestServices, given: string): Promise<unknown>;
}

const ask = (services: TestServices, tool: string) =>
  askAction(services, agentActor(), askInput({ tool, args: { id: `R-${randomUUID()}` } }));
const pending = async (services: TestServices) => (await ask(services, 'cancel')).action.id;
const approve = (services: TestServices, id: string) =>
  answerAction(services, approverActor(), { id, verdict: 'approve' });
const approved = async (services: TestServices) => {
  const id = await pending(services);
  await approve(services, id);
  return id;
};
const begin = (services: TestServices, id: string) =>
  beginAction(services, agentActor(), { id, executionId: 'e' });
const begun = async (services: TestServices) => {
  const id = await approved(services);
  await begin(services, id);
  return id;
};
const off = async (services: TestServices, scope: string) => {
  await disable(services, onCallActor(), { scope, reason: 'growth' });
  return scope;
};
const on = (services: TestServices, scope: string) =>
  enable(services, managerActor(), { scope, reason: 'growth' });

/** Where the filled part of the log ends: from there on the hashes are a chain. */
const logEnd = async (services: TestServices) => {
  const [head] = await readLog(services.db.sql, { limit: 1, newestFirst: true });
  return JSON.stringify({ seq: head?.seq ?? 0, hash: head?.hash ?? '' });
};

/** One of the others, of which a twentieth of the store is: under its release a cancellation runs unasked. */
const QUICK = 'other-1';
const quick = agentActor({ agent: QUICK });
const quickInForce = async (services: TestServices) => {
  const { sql: db } = services.db;
  if (await db.selectFrom('agent').select('name').where('name', '=', QUICK).executeTakeFirst()) return '';
  const named = (yaml: string) => yaml.replace('agent: desk', `agent: ${QUICK}`);
  const { agent } = await givenAdopted(services, {
    agentYaml: named(AGENT_YAML),
    releaseYaml: named(RELEASE_YAML),
  });
  await givenRelease(services, agent, named(RELEASE_2_YAML));
  await db.updateTable('in_force').set({ release: '2' }).where('agent', '=', QUICK).execute();
  await services.worlds.forget(QUICK, Number.MAX_SAFE_INTEGER);
  return '';
};
const beginsAtOnce = async (services: TestServices) => {
  const args = { id: `R-${randomUUID()}` };
  const input = askInput({ agent: QUICK, tool: 'cancel', args, begin: { executionId: 'e' } });
  const { credential } = await askAction(services, quick, input);
  if (!credential) throw new Error('it did not begin with its question');
};

const SIMULATED = 100;
const openOne = async ({ db }: TestServices) => (await openRollout(db.sql, 'desk'))?.id ?? '';

export const OPERATIONS: readonly Operation[] = [
  { name: 'ask, a read', run: (services) => ask(services, 'lookup') },
  { name: 'ask, a write that waits', run: pending },
  { name: 'ask, a write that begins with it', prepare: quickInForce, run: beginsAtOnce },
  { name: 'answer', prepare: pending, run: approve },
  { name: 'begin', prepare: approved, run: begin },
  {
    name: 'complete',
    prepare: begun,
    run: (services, id) => completeAction(services, agentActor(), { id, executionId: 'e', ok: true }),
  },
  {
    name: 'record an outcome',
    prepare: begun,
    run: (services, action) =>
      recordOutcomes(services, agentActor(), {
        agent: 'desk',
        outcomes: [{ id: randomUUID(), action, metric: 'wrong', value: 1 }],
      }),
  },
  { name: 'get an action', prepare: begun, run: (services, id) => actionById(services.db.sql, id) },
  { name: 'list actions', run: (services) => listActions(services.db.sql, { limit: 50 }) },
  { name: 'list, one agent', run: (services) => listActions(services.db.sql, { limit: 50, agent: 'desk' }) },
  { name: 'list, pending', run: (services) => listActions(services.db.sql, { limit: 50, state: 'pending' }) },
  { name: 'list, unknown', run: (services) => listActions(services.db.sql, { limit: 50, state: 'unknown' }) },
  { name: 'list, expired', run: (services) => listActions(services.db.sql, { limit: 50, state: 'expired' }) },
  {
    name: 'list, one segment',
    run: (services) => listActions(services.db.sql, { limit: 50, agent: 'desk', segment: 'nowhere' }),
  },
  {
    name: 'list, a deep page',
    prepare: async (services) => {
      const { nextCursor } = await listActions(services.db.sql, { limit: 3 });
      return nextCursor ?? '';
    },
    run: (services, cursor) =>
      listActions(services.db.sql, { limit: 50, cursor: cursor.replace(/^.{3}/, '019') }),
  },
  { name: 'disable an agent', holdsGate: true, run: (services) => off(services, 'agent/desk') },
  { name: 'enable it', holdsGate: true, run: (services) => on(services, 'agent/desk') },
  { name: 'log, the newest', run: (services) => readLog(services.db.sql, { limit: 100, newestFirst: true }) },
  {
    name: 'log, a kind that is rare',
    run: (services) => readLog(services.db.sql, { limit: 100, newestFirst: true, kind: 'switch.enabled' }),
  },
  {
    name: 'log, an agent and a kind',
    run: (services) =>
      readLog(services.db.sql, { limit: 100, newestFirst: true, agent: 'desk', kind: 'release.adopted' }),
  },
  {
    name: 'log, an agent from a late number on',
    prepare: logEnd,
    run: (services, end) =>
      readLog(services.db.sql, { limit: 100, agent: QUICK, after: JSON.parse(end).seq - 500 }),
  },
  {
    name: 'log, verify from a head',
    prepare: logEnd,
    run: (services, after) => verifyLog(services.db.sql, { after: JSON.parse(after) }),
  },
  { name: 'posture', run: (services) => readPosture(services.db.sql, services.clock.now(), undefined) },
  {
    name: 'statistics of approvals, 90 days',
    run: (services) => approvalStats(services, actorOf('auditor'), { agent: 'desk', days: 90 }),
  },
  {
    name: 'evidence of a grant',
    run: (services) =>
      earnedCounts(
        services.db.sql,
        { agent: 'desk', release: '1', grant: 'cancel-2', tool: 'cancel' },
        services.clock.now(),
      ),
  },
  {
    name: 'count and judge a subject-day',
    prepare: begun,
    run: async (services) => {
      await sql`SELECT queue_judgement(id, 'gold', ${services.clock.now()}) FROM rollout`.execute(
        services.db.sql,
      );
      await judgeDue(services);
    },
  },
  { name: 'status of a rollout', prepare: openOne, run: rolloutStatus },
  {
    name: 'lock a baseline',
    prepare: async (services) => {
      await services.db.sql.updateTable('rollout').set({ baseline_locked_at: null }).execute();
      return openOne(services);
    },
    run: async (services, id) => {
      if (!(await lockBaseline(services, { id, ...(await rolloutFacts(services, id)) })))
        throw new Error('the baseline was not locked');
    },
  },
  {
    name: 'replay, as many as are looked at',
    run: (services) =>
      replayRelease(services, managerActor(), {
        agent: 'desk',
        release: releaseFrom(RELEASE_2_YAML, agentFrom(AGENT_YAML)),
        ...periodOf({ since: '90d' }, services.clock.now(), services.dayMs),
        most: SIMULATED,
      }),
  },
  {
    name: 'business figures of a quarter of a year',
    run: (services) =>
      readBusiness(services, managerActor(), {
        agent: 'desk',
        ...periodOf({ since: '90d' }, services.clock.now(), services.dayMs),
      }),
  },
  {
    name: 'traffic, as many as are looked at',
    run: (services) => trafficOf(services, managerActor(), { agent: 'desk', days: 30 }, SIMULATED),
  },
  { name: 'the system, an hour', run: (services) => readSystem(services, managerActor(), {}) },
  {
    name: 'facts of the page of a week',
    run: ({ db, clock, dayMs }) =>
      weekFacts(
        db.sql,
        lastWholeWeek(clock.now()),
        { snapshot: undefined, missed: [], unread: [], version: 1 },
        dayMs,
      ),
  },
  {
    name: 'report of a rollout',
    prepare: async (services) => (await openRollout(services.db.sql, 'desk'))?.id ?? '',
    run: (services, id) => rolloutReport(services, id),
  },
];

export { approved, off, on, pending, rollBack };
