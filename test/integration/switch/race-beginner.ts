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

process.on('message', async (round: Round) => {
  const begun = await Promise.all(
    round.ids.map(async (id) => {
      await setTimeout(Math.random() * SPREAD_MS);
      await allow(round, id);
      return begin(id);
    }),
  );
  process.send?.({ begun: begun.filter(Boolean).length });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
