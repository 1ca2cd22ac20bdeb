import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { OutboxTable } from '../db/tables.ts';

const DAY_MS = 86_400_000;
/** As long as the workflows of alerts and callbacks try. */
export const DELIVERED_WITHIN_MS = 3 * DAY_MS;
/** What was started again is remembered so long. */
const KEPT_MS = 30 * DAY_MS;

/** What a workflow works for: an outbox entry that names it starts it. */
export interface WorkflowOf {
  topic: OutboxTable['topic'];
  key: string;
  payload: Record<string, unknown>;
}

/** A workflow that was not there, and what Temporal said of it. */
export interface MissingWorkflow extends WorkflowOf {
  found: string;
}

/** Every record that a workflow must be working for. What the dispatcher has yet to tell is left out. */
export async function openRecords(db: Sql, now: Date): Promise<WorkflowOf[]> {
  const since = new Date(now.getTime() - DELIVERED_WITHIN_MS);
  const { rows } = await sql<WorkflowOf>`
    SELECT topic, key, payload FROM (
      SELECT 'rollout' AS topic, id AS key, '{}'::jsonb AS payload FROM rollout WHERE ended_at IS NULL
      UNION ALL
      SELECT 'action', id::text, '{}' FROM open_action WHERE kind = 'write' AND decided_by IS DISTINCT FROM 'policy'
      UNION ALL
      SELECT 'digest', a.agent, '{}' FROM open_action o JOIN action a ON a.id = o.id
      WHERE o.state = 'pending' AND (a.reach ->> 'joinsDigest')::boolean GROUP BY a.agent
      UNION ALL
      SELECT 'alert', id, '{}' FROM alert WHERE delivered_at IS NULL AND created_at > ${since}
      UNION ALL
      SELECT 'callback', key, payload FROM callback WHERE at > ${since}
    ) r WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.topic = r.topic AND o.key = r.key)`.execute(db);
  return rows;
}

/** Has the workflow of every open rollout look again. */
export async function tellOpenRollouts(db: Sql): Promise<void> {
  await sql`INSERT INTO outbox (topic, key) SELECT 'rollout', id FROM rollout WHERE ended_at IS NULL`.execute(
    db,
  );
}

/** Has each missing workflow started by the dispatcher, and keeps what was done. */
export async function restartWorkflows(
  db: Sql,
  now: Date,
  open: number,
  missing: readonly MissingWorkflow[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`WITH m AS (
        INSERT INTO restarted_workflow (topic, key, found, at)
        SELECT topic, key, found, ${now}
        FROM jsonb_to_recordset(${JSON.stringify(missing)}::jsonb) AS x (topic text, key text, found text)
      )
      INSERT INTO outbox (topic, key, payload)
      SELECT topic, key, payload
      FROM jsonb_to_recordset(${JSON.stringify(missing)}::jsonb) AS x (topic text, key text, payload jsonb)`.execute(
      tx,
    );
    await sql`INSERT INTO reconciliation (at, open) VALUES (${now}, ${open})
      ON CONFLICT (id) DO UPDATE SET at = excluded.at, open = excluded.open`.execute(tx);
    await sql`DELETE FROM restarted_workflow WHERE at < ${new Date(now.getTime() - KEPT_MS)}`.execute(tx);
    await sql`DELETE FROM callback WHERE at < ${new Date(now.getTime() - DELIVERED_WITHIN_MS)}`.execute(tx);
  });
}

/** What comparing records with workflows came to, of the last day. */
export interface Reconciled {
  /** Never compared yet: undefined. */
  comparedAt?: string;
  open: number;
  restarted: { kind: string; found: string; count: number; lastAt: string }[];
}

export async function readReconciled(db: Sql, now: Date): Promise<Reconciled> {
  const last = await db.selectFrom('reconciliation').select(['at', 'open']).executeTakeFirst();
  const { rows } = await sql<{ kind: string; found: string; count: number; last_at: Date }>`
    SELECT topic AS kind, found, count(*)::int AS count, max(at) AS last_at FROM restarted_workflow
    WHERE at > ${new Date(now.getTime() - DAY_MS)} GROUP BY topic, found ORDER BY last_at DESC`.execute(db);
  return {
    ...(last ? { comparedAt: last.at.toISOString() } : {}),
    open: last?.open ?? 0,
    restarted: rows.map(({ kind, found, count, last_at }) => ({
      kind,
      found,
      count,
      lastAt: last_at.toISOString(),
    })),
  };
}

/** The agent's server has taken it, or there is nobody to tell. */
export async function settleCallback(db: Sql, key: string): Promise<void> {
  await db.deleteFrom('callback').where('key', '=', key).execute();
}
