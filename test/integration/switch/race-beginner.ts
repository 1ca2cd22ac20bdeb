import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { openDatabase } from '../../../src/db/database.ts';
import { isGateBusy } from '../../../src/db/failure.ts';

/** A round's begins are spread over about as long as a stop takes. */
const SPREAD_MS = 30;

interface Round {
  arm: 'control' | 'candidate';
  round: number;
  ids: string[];
}

/** One of several processes that allow and begin writes as fast as they can; told each round by its parent. */
const db = await openDatabase({ url: process.argv[2] ?? '', poolSize: 8 });
const subject = await db.sql
  .insertInto('subject')
  .values({ agent: 'race', name: `process ${process.pid}`, key: Buffer.alloc(32) })
  .returning('id')
  .executeTakeFirstOrThrow();

/** An allowed write, committed just before it begins: a stop under way has not seen it and cannot void it. */
async function allow({ arm, round }: Round, id: string): Promise<void> {
  const candidate = arm === 'candidate';
  await sql`INSERT INTO action (id, agent, idempotency_key, request_digest, agent_version, tool, kind, segment, arm, release,
      rollout_id, generation, bucket, epoch, state, decided_by, reasons, args_digest, subject_digest, summary, asked_at,
      asked_by, expires_at)
    VALUES (${id}, 'race', ${id}, '', '1', ${arm + round}, 'write', ${`s${round}`}, ${arm}, ${candidate ? '2' : '1'},
      ${candidate ? 'r' : null}, 1, 0, 1, 'approved', 'policy', '[]', '', '', '', clock_timestamp(), 'agent',
      clock_timestamp() + interval '1 hour')`.execute(db.sql);
}

async function begin(id: string): Promise<boolean> {
  try {
    const { rows } = await sql<{ status: string }>`
      SELECT status FROM begin_action(${id}, 'race', ${id}, clock_timestamp(), 'agent', 5000, 120000)`.execute(
      db.gate,
    );
    return rows[0]?.status === 'begun';
  } catch (error) {
    if (!isGateBusy(error)) throw error;
    return false;
  }
}

/** A write as it is asked by one agent in one process, begun with its question. */
const ASKED = {
  record: 'action',
  agent: 'race',
  request_digest: '',
  agent_version: '1',
  kind: 'write',
  generation: 1,
  bucket: 0,
  decided_by: 'policy',
  state: 'executing',
  revision: 2,
  args_digest: '',
  subject_id: subject.id,
  subject_digest: '',
  summary: '',
  asked_by: 'agent',
  asked_by_key: 'agent',
  same_digest: '',
  risk: 'low',
  round: 0,
  stage: 0,
  card_version: 1,
  reminders: 0,
  break_glass: false,
  earned: false,
  args: '{}',
  context: '{}',
  attributes: '{}',
  salt: '\\x00',
  entry: '{}',
  ...Object.fromEntries(
    ['reasons', 'behind', 'behind_keys', 'links', 'redact', 'routed'].map((key) => [key, []]),
  ),
  ...Object.fromEntries(['limits', 'counts'].map((key) => [key, {}])),
};

/** Asked and begun in one: decided by what is in force now, and recorded when a stop may have come. */
async function askAndBegin({ arm, round }: Round, id: string): Promise<boolean> {
  const [segment, tool] = [`s${round}`, arm + round];
  const { rows: known } = await sql<{ epoch: number; is_off: boolean }>`
    SELECT i.epoch, switched_off('race', ${tool}, 'write') OR (${arm} = 'candidate' AND NOT EXISTS (
      SELECT 1 FROM rollout_segment s WHERE s.rollout_id = 'r' AND s.segment = ${segment} AND s.state = 'exposed')) AS is_off
    FROM installation i`.execute(db.sql);
  const [world] = known;
  if (!world || world.is_off) return false;
  const at = new Date();
  const ask = {
    ...ASKED,
    id,
    idempotency_key: id,
    tool,
    segment,
    arm,
    release: arm === 'candidate' ? '2' : '1',
    rollout_id: arm === 'candidate' ? 'r' : null,
    epoch: world.epoch,
    asked_at: at,
    execution_id: id,
    began_at: at,
    start_by: at,
    deadline_at: at,
    begun: { jti: randomUUID(), expires_at: at, entries: [] },
  };
  const { rows } = await sql<{ status: string }>`
    SELECT status FROM ask_actions(${JSON.stringify([ask])}::jsonb, ${at})`.execute(db.sql);
  return rows[0]?.status === 'asked';
}

process.on('message', async (round: Round) => {
  const begun = await Promise.all(
    round.ids.map(async (id, n) => {
      await setTimeout(Math.random() * SPREAD_MS);
      if (n % 2 === 0) return askAndBegin(round, id);
      await allow(round, id);
      return begin(id);
    }),
  );
  process.send?.({ begun: begun.filter(Boolean).length });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
