import { z } from 'zod';
import { type IncidentRow, incidentById, listIncidents } from '../../incidents/list.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, requireReader } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, instantSchema, textSchema } from '../schemas.ts';

const incidentSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    rollout: z.string().optional(),
    segment: z.string().optional(),
    metric: z.string().optional(),
    title: z.string(),
    openedAt: instantSchema,
    openedBy: z.string(),
    mechanism: z.string().optional(),
    evidence: anyObjectSchema,
    breachAt: instantSchema.optional(),
    revokedAt: instantSchema.optional(),
    verifiedAt: instantSchema.optional(),
    breachToRevokedMs: z.number().optional(),
  })
  .meta({ id: 'Incident' });

/** Breaches and what was done. */
export function incidentRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/incidents',
    {
      schema: {
        operationId: 'listIncidents',
        tags: ['incidents'],
        summary: 'Incidents, newest first',
        querystring: z.object({ agent: agentNameSchema.optional(), rollout: textSchema(200).optional() }),
        response: { 200: z.object({ incidents: z.array(incidentSchema) }) },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      const rows = await listIncidents(services.db.sql, { ...request.query, agent });
      return { incidents: rows.map(viewOf) };
    },
  );
  app.get(
    '/v1/incidents/:id',
    {
      schema: {
        operationId: 'getIncident',
        tags: ['incidents'],
        summary: 'One incident with its evidence',
        params: z.object({ id: textSchema(200, 1) }),
        response: { 200: incidentSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      return viewOf(await incidentById(services.db.sql, actor, request.params.id));
    },
  );
}

const viewOf = (row: IncidentRow) => ({
  id: row.id,
  agent: row.agent,
  rollout: row.rollout_id ?? undefined,
  segment: row.segment ?? undefined,
  metric: row.metric ?? undefined,
  title: row.title,
  openedAt: row.opened_at.toISOString(),
  openedBy: row.opened_by,
  mechanism: row.mechanism ?? undefined,
  evidence: row.evidence,
  breachAt: row.breach_at?.toISOString(),
  revokedAt: row.revoked_at?.toISOString(),
  verifiedAt: row.verified_at?.toISOString(),
  breachToRevokedMs: row.breach_to_revoked_ms ?? undefined,
});
