import { randomBytes } from 'node:crypto';
import type { Sql } from '../db/database.ts';
import { appendEntry } from '../records/log-entry.ts';

export const newIncidentId = (): string => `inc-${randomBytes(5).toString('hex')}`;

export interface NewIncident {
  id: string;
  agent: string;
  rollout: string;
  segment: string;
  metric?: string;
  title: string;
  at: Date;
  by: string;
  breachAt?: Date;
  revokedAt: Date;
  breachToRevokedMs?: number;
  /** When the gate was read back and nothing was left open. */
  verifiedAt?: Date;
  evidence: Record<string, unknown>;
}

/** Opens an incident with its evidence, in the transaction of what tells people. */
export async function openIncident(tx: Sql, incident: NewIncident): Promise<void> {
  const { id } = incident;
  await tx
    .insertInto('incident')
    .values({
      id,
      agent: incident.agent,
      rollout_id: incident.rollout,
      segment: incident.segment,
      metric: incident.metric ?? null,
      title: incident.title,
      opened_at: incident.at,
      opened_by: incident.by,
      evidence: JSON.stringify(incident.evidence),
      breach_at: incident.breachAt ?? null,
      revoked_at: incident.revokedAt,
      breach_to_revoked_ms: incident.breachToRevokedMs ?? null,
      verified_at: incident.verifiedAt ?? null,
    })
    .execute();
  await appendEntry(tx, {
    kind: 'incident.opened',
    agent: incident.agent,
    ref: id,
    at: incident.at,
    actor: incident.by,
    data: { rollout: incident.rollout, segment: incident.segment, title: incident.title },
  });
}
