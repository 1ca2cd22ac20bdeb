import type { Sql } from '../db/database.ts';
import { JUDGE } from '../domain/rollout/paused.ts';
import { type AlertKind, raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';

interface Told {
  /** Of its entry in the log. */
  kind: string;
  /** Of the alert. Default: that it is held. */
  alert?: AlertKind;
  because: string;
  /** For the alert. */
  facts?: Readonly<Record<string, unknown>>;
  data: Readonly<Record<string, unknown>>;
}

/** Tells on-call, and the workflow, and logs it. */
export async function tell(
  tx: Sql,
  { id, agent }: Pick<RolloutRecord, 'id' | 'agent'>,
  now: Date,
  { kind, alert = 'rollout.held', because, facts = {}, data }: Told,
): Promise<void> {
  await raiseAlert(tx, alert, agent, now, { rollout: id, because, ...facts });
  await appendEntry(tx, { kind, agent, ref: id, at: now, actor: JUDGE, data: { because, ...data } });
  await tellWorkflow(tx, id);
}

/** Has the workflow of a rollout look at its record again, once this is committed. */
export async function tellWorkflow(tx: Sql, id: string): Promise<void> {
  await tx.insertInto('outbox').values({ topic: 'rollout', key: id, payload: '{}' }).execute();
}
