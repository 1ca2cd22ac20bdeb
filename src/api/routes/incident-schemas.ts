import { z } from 'zod';
import { isClassifiedTwice } from '../../domain/incident/fingerprint.ts';
import { INCIDENT_STATES } from '../../domain/incident/life.ts';
import { MECHANISM_NAMES } from '../../domain/incident/mechanisms.ts';
import type { IncidentRow } from '../../incidents/list.ts';
import type { IncidentReport } from '../../reports/incident.ts';
import { anyObjectSchema, instantSchema } from '../schemas.ts';

export const mechanismSchema = z.enum(MECHANISM_NAMES);
export const stateSchema = z.enum(INCIDENT_STATES);
export const severitySchema = z.enum(['high', 'normal', 'low']);

export const incidentSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    state: stateSchema,
    because: z.string().describe('What opened it'),
    rollout: z.string().optional(),
    segment: z.string().optional(),
    tool: z.string().optional(),
    metric: z.string().optional(),
    title: z.string(),
    severity: severitySchema,
    owner: z.string().optional(),
    openedAt: instantSchema,
    openedBy: z.string(),
    mechanism: z.string().optional().describe('Absent: unclassified'),
    certainty: z.enum(['known', 'suspected']).optional(),
    origin: z.string().optional(),
    result: z.string().optional(),
    contributing: z.array(z.string()),
    classifiedBy: z.string().optional(),
    classifyBy: instantSchema.optional().describe('When it is overdue to be classified'),
    classifiedTwice: z.boolean().describe('One in five: a second person classifies it too'),
    mergedInto: z.string().optional(),
    recurrenceOf: z.string().optional().describe('The closed incident of the same fingerprint'),
    historical: z.boolean(),
    ended: z.record(z.string(), z.number().int()).describe('What its opening ended, by name'),
    writes: z.number().int().describe('Actions in it; those of incidents merged into it come on top'),
    revision: z.number().int(),
    evidence: anyObjectSchema,
    breachAt: instantSchema.optional(),
    revokedAt: instantSchema.optional(),
    verifiedAt: instantSchema.optional(),
    breachToRevokedMs: z.number().optional(),
    closedAt: instantSchema.optional(),
    closedBy: z.string().optional(),
    closeReason: z.string().optional(),
  })
  .meta({ id: 'Incident' });

export const incidentViewOf = (row: IncidentRow): z.infer<typeof incidentSchema> => ({
  id: row.id,
  agent: row.agent,
  state: row.state,
  because: row.because,
  rollout: row.rollout_id ?? undefined,
  segment: row.segment ?? undefined,
  tool: row.tool ?? undefined,
  metric: row.metric ?? undefined,
  title: row.title,
  severity: row.severity,
  owner: row.owner ?? undefined,
  openedAt: row.opened_at.toISOString(),
  openedBy: row.opened_by,
  mechanism: row.mechanism ?? undefined,
  certainty: row.certainty ?? undefined,
  origin: row.origin ?? undefined,
  result: row.result ?? undefined,
  contributing: row.contributing,
  classifiedBy: row.classified_by ?? undefined,
  classifyBy: row.classify_by?.toISOString(),
  classifiedTwice: isClassifiedTwice(row.id),
  mergedInto: row.merged_into ?? undefined,
  recurrenceOf: row.recurrence_of ?? undefined,
  historical: row.historical,
  ended: { ...row.ended },
  writes: row.writes,
  revision: row.revision,
  evidence: row.evidence,
  breachAt: row.breach_at?.toISOString(),
  revokedAt: row.revoked_at?.toISOString(),
  verifiedAt: row.verified_at?.toISOString(),
  breachToRevokedMs: row.breach_to_revoked_ms ?? undefined,
  closedAt: row.closed_at?.toISOString(),
  closedBy: row.closed_by ?? undefined,
  closeReason: row.close_reason ?? undefined,
});

export const incidentDetailSchema = incidentSchema
  .extend({
    allWrites: z.number().int().describe('With those of the incidents merged into it'),
    merged: z.array(z.object({ id: z.string(), writes: z.number().int() })),
    cost: z.string().optional().describe('By the declared rates, with the inputs'),
    findings: z
      .array(
        z.object({
          mechanism: mechanismSchema,
          answer: z.enum(['yes', 'no', 'cannot_tell', 'ask']),
          because: z.string(),
          likely: z.boolean().optional(),
        }),
      )
      .describe('What the records say of each mechanism'),
    actions: z.array(
      z.object({
        action: z.string(),
        incident: z.string(),
        because: z.string(),
        at: instantSchema,
        tool: z.string().optional(),
        summary: z.string().optional(),
        state: z.string().optional(),
        reversibility: z.string().optional(),
        undo: z.string().optional(),
      }),
    ),
    timeline: z.array(
      z.object({
        entry: z.number().int(),
        at: instantSchema,
        kind: z.string(),
        actor: z.string(),
        text: z.string(),
      }),
    ),
    nextEntry: z.number().int().optional().describe('Send it as after for what follows'),
  })
  .meta({ id: 'IncidentDetail' });

/** `whole`: with people and reasons of the log and what the actions did, for those who may read both. */
export function incidentDetailOf(
  report: IncidentReport,
  whole: boolean,
): z.infer<typeof incidentDetailSchema> {
  const { incident, writes, merged, listed, cost, timeline, nextEntry } = report;
  return {
    ...incidentViewOf(incident),
    allWrites: writes,
    merged,
    cost,
    findings: (incident.findings ?? []) as z.infer<typeof incidentDetailSchema>['findings'],
    actions: listed.map(({ at, summary, ...one }) => ({
      ...one,
      at: at.toISOString(),
      ...(whole && { summary }),
    })),
    timeline: whole ? timeline.map(({ at, ...item }) => ({ ...item, at: at.toISOString() })) : [],
    nextEntry: whole ? nextEntry : undefined,
  };
}
