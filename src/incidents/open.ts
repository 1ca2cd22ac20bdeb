import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Ended, IncidentTable, Severity } from '../db/tables-learning.ts';
import { establishedBy, type Finding, openFindings } from '../domain/incident/findings.ts';
import { fingerprintOf } from '../domain/incident/fingerprint.ts';
import { CLASSIFY_WITHIN_DAYS } from '../domain/incident/life.ts';
import type { Result } from '../domain/incident/mechanisms.ts';
import { workingDaysAfter } from '../domain/working-days.ts';
import { raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import { type Endable, endByName } from './end.ts';

export const newIncidentId = (): string => `inc-${randomBytes(5).toString('hex')}`;

/** What an incident was opened by. */
export const OPENED_BY = [
  'breach',
  'rollback',
  'correction',
  'unknown_harm',
  'expiry',
  'late_stop',
  'person',
] as const;
export type OpenedBecause = (typeof OPENED_BY)[number];

export interface NewIncident {
  id: string;
  agent: string;
  because: OpenedBecause;
  rollout?: string | undefined;
  segment?: string | undefined;
  tool?: string | undefined;
  metric?: string | undefined;
  title: string;
  at: Date;
  by: string;
  /** A day of the installation, for the deadline of its classification. */
  dayMs: number;
  severity: Severity;
  owner?: string | undefined;
  result?: Result | undefined;
  breachAt?: Date | undefined;
  revokedAt?: Date | undefined;
  breachToRevokedMs?: number | undefined;
  /** When the gate was read back and nothing was left open. */
  verifiedAt?: Date | undefined;
  evidence: Record<string, unknown>;
  /** What the records say of each mechanism; none: no action is known, and each test is put to a person. */
  findings?: readonly Finding[] | undefined;
  /** What it ends where it happened, by name. */
  ends: readonly Endable[];
  /** Of the past or imported: it ends nothing, and no evidence begins anew. */
  historical?: boolean | undefined;
  /** What is earned in its segment counts from now on. */
  restartsEvidence: boolean;
  /** What it is opened for once: a second one of it is not opened. */
  source?: string | undefined;
}

/** The alert of the rollback tells of these. */
const TOLD_OF: readonly OpenedBecause[] = ['breach', 'rollback'];

/**
 * Opens an incident with its evidence, in the transaction of what tells people, after any lock of the gate. It has no
 * effect but those that it is told by name, and the log says which. What the records establish is its mechanism at once. People are
 * told of it in Slack, but for one of the past, and one whose rollback they are told of.
 * @returns false where one was opened for its source already
 */
export async function openIncident(tx: Sql, incident: NewIncident): Promise<boolean> {
  const { id, agent, at, by, because, historical = false } = incident;
  const findings = incident.findings ?? openFindings();
  const { mechanism, contributing } = establishedBy(findings);
  const tool = incident.tool ?? null;
  const segment = incident.segment ?? null;
  const fingerprint = fingerprintOf({ agent, tool, mechanism: mechanism ?? null, segment });
  const classifyBy =
    mechanism === undefined ? workingDaysAfter(at, CLASSIFY_WITHIN_DAYS, incident.dayMs) : null;
  const recurrence = mechanism === undefined ? undefined : await closedLike(tx, fingerprint);
  const values: Partial<Record<keyof IncidentTable, unknown>> = {
    id,
    agent,
    because,
    rollout_id: incident.rollout ?? null,
    segment,
    tool,
    metric: incident.metric ?? null,
    title: incident.title,
    opened_at: at,
    opened_by: by,
    severity: incident.severity,
    owner: incident.owner ?? null,
    result: incident.result ?? null,
    evidence: JSON.stringify(incident.evidence),
    findings: JSON.stringify(findings),
    fingerprint,
    state: mechanism === undefined ? 'open' : 'classified',
    mechanism: mechanism ?? null,
    certainty: mechanism === undefined ? null : 'known',
    contributing: JSON.stringify(contributing),
    classified_at: mechanism === undefined ? null : at,
    classified_by: mechanism === undefined ? null : 'records',
    classify_by: classifyBy,
    remind_at: historical ? null : classifyBy,
    recurrence_of: recurrence ?? null,
    breach_at: incident.breachAt ?? null,
    revoked_at: incident.revokedAt ?? null,
    breach_to_revoked_ms: incident.breachToRevokedMs ?? null,
    verified_at: incident.verifiedAt ?? null,
    historical,
    ended: '{}',
    restarts_evidence: incident.restartsEvidence && !historical,
    source: incident.source ?? null,
  };
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('incident')
    .values(values as never)
    .onConflict((conflict) => conflict.column('source').where('source', 'is not', null).doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return false;
  const names = historical ? [] : incident.ends;
  const ended = await endByName(tx, names, { agent, segment: incident.segment, at, by, incident: id });
  await noteEnded(tx, id, ended);
  await appendEntry(tx, {
    kind: 'incident.opened',
    agent,
    ref: id,
    at,
    actor: by,
    data: {
      because,
      rollout: incident.rollout,
      segment: incident.segment,
      tool: incident.tool,
      title: incident.title,
      mechanism,
      recurrenceOf: recurrence,
      ended,
      historical: historical || undefined,
    },
  });
  if (!historical && !TOLD_OF.includes(because))
    await raiseAlert(tx, 'incident.opened', agent, at, {
      incident: id,
      summary: incident.title,
      severity: incident.severity,
      ...(incident.owner !== undefined && { person: incident.owner }),
      ...(segment !== null && { segment }),
      ...(tool !== null && { tool }),
      ...(mechanism !== undefined && { mechanism }),
      ...(classifyBy !== null && { classifyBy: classifyBy.toISOString() }),
    });
  return true;
}

async function noteEnded(tx: Sql, id: string, ended: Ended): Promise<void> {
  if (Object.keys(ended).length === 0) return;
  await tx
    .updateTable('incident')
    .set({ ended: JSON.stringify(ended) })
    .where('id', '=', id)
    .execute();
}

/** The last closed incident of the same fingerprint: what happens again after it is a recurrence. */
export async function closedLike(tx: Sql, fingerprint: string | null): Promise<string | undefined> {
  if (fingerprint === null) return undefined;
  const row = await tx
    .selectFrom('incident')
    .select('id')
    .where('fingerprint', '=', fingerprint)
    .where('state', '=', 'closed')
    .where('merged_into', 'is', null)
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** Whoever opens or joins by a fingerprint is alone with it until the end of the transaction. Taken last of all locks. */
export async function lockFingerprint(tx: Sql, fingerprint: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(727025, hashtext(${fingerprint}))`.execute(tx);
}
