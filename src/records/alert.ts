import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

export type AlertKind =
  | 'switch.disabled'
  | 'switch.enabled'
  | 'rollout.rolled_back'
  | 'rollout.gate'
  | 'rollout.held'
  | 'rollout.tightened'
  | 'rollout.completed'
  | 'rollout.watch_ended'
  | 'action.unknown'
  | 'action.break_glass'
  | 'action.unreached'
  | 'action.undelivered'
  | 'autonomy.proposed'
  | 'autonomy.changed'
  | 'incident.opened'
  | 'incident.unclassified'
  | 'follow_up.due'
  | 'review.due';

/** Tells people, durably: committed with what it tells of, delivered by the alert workflow. Returns its id. */
export async function raiseAlert(
  tx: Sql,
  kind: AlertKind,
  agent: string | null,
  at: Date,
  facts: Record<string, unknown>,
): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    SELECT raise_alert(${kind}, ${agent}, ${at}, ${JSON.stringify(facts)}::jsonb) AS id`.execute(tx);
  return rows[0]?.id ?? '';
}

/** It has reached everybody that it is for. */
export async function settleAlert(db: Sql, id: string, at: Date): Promise<void> {
  await db
    .updateTable('alert')
    .set({ delivered_at: at })
    .where('id', '=', id)
    .where('delivered_at', 'is', null)
    .execute();
}
