import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MECHANISM_NAMES, ORIGINS, RESULTS } from '../../domain/incident/mechanisms.ts';
import { asSeenBy } from '../../incidents/blind.ts';
import { classifyIncident } from '../../incidents/classify.ts';
import { closeIncident } from '../../incidents/close.ts';
import { ENDABLE } from '../../incidents/end.ts';
import type { IncidentRow } from '../../incidents/list.ts';
import { mergeIncident, unmergeIncident } from '../../incidents/merge.ts';
import { reportIncident } from '../../incidents/report-one.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, givenInstantSchema, reasonSchema, textSchema } from '../schemas.ts';
import { incidentSchema, incidentViewOf, mechanismSchema, severitySchema } from './incident-schemas.ts';

const tags = ['incidents'];
const params = z.object({ id: textSchema(200, 1) });
const response = { 200: incidentSchema };
const revision = z.number().int().min(1).describe('Of the incident as you saw it: another one is a conflict');

export const classificationSchema = z.strictObject({
  revision,
  mechanism: z.enum(MECHANISM_NAMES),
  certainty: z.enum(['known', 'suspected']),
  origin: z.enum(ORIGINS).optional(),
  result: z.enum(RESULTS).optional(),
  contributing: z.array(mechanismSchema).max(MECHANISM_NAMES.length).optional(),
  evidence: z
    .array(z.number().int().min(1))
    .max(100)
    .optional()
    .describe('Numbers of log entries that justify it'),
});

const reportSchema = z.strictObject({
  agent: agentNameSchema,
  title: textSchema(200, 1),
  reason: reasonSchema,
  segment: textSchema(100, 1).optional(),
  tool: textSchema(100, 1).optional(),
  severity: severitySchema.optional(),
  owner: textSchema(100, 1).optional(),
  actions: z.array(z.uuid()).max(100).optional(),
  effect: z.boolean().optional().describe('The effect exists upstream'),
  ends: z
    .array(z.enum(ENDABLE))
    .max(ENDABLE.length)
    .optional()
    .describe('What it ends there; nothing else is'),
  historical: z.boolean().optional().describe('Of the past or imported: it ends nothing'),
  at: givenInstantSchema.optional().describe('When it happened, if not now'),
});

/** What people do about an incident. */
export function incidentVerbRoutes(app: Api, { services }: RouteDeps): void {
  const schema = (operationId: string, summary: string) => ({ operationId, summary, tags, response });
  const view = async (request: FastifyRequest, row: IncidentRow) => {
    const [seen = row] = await asSeenBy(services, actorOf(request), [row]);
    return incidentViewOf(seen);
  };
  app.post(
    '/v1/incidents',
    {
      schema: {
        ...schema('openIncident', 'Open an incident; it ends what is named and nothing else'),
        body: reportSchema,
      },
    },
    async (request) => {
      const { at, ...input } = request.body;
      const found = { ...input, ...(at !== undefined && { at: new Date(at) }) };
      return view(request, await reportIncident(services, actorOf(request), found));
    },
  );
  app.post(
    '/v1/incidents/:id/classify',
    {
      schema: {
        ...schema('classifyIncident', 'Say by which mechanism it happened'),
        params,
        body: classificationSchema,
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      return view(request, await classifyIncident(services, actorOf(request), input));
    },
  );
  app.post(
    '/v1/incidents/:id/merge',
    {
      schema: {
        ...schema('mergeIncident', 'Merge it into another open one; its address stays'),
        params,
        body: z.strictObject({ into: textSchema(200, 1), reason: reasonSchema }),
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      return view(request, await mergeIncident(services, actorOf(request), input));
    },
  );
  app.post(
    '/v1/incidents/:id/unmerge',
    {
      schema: {
        ...schema('unmergeIncident', 'Take a merge back'),
        params,
        body: z.strictObject({ reason: reasonSchema }),
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      return view(request, await unmergeIncident(services, actorOf(request), input));
    },
  );
  app.post(
    '/v1/incidents/:id/close',
    {
      schema: {
        ...schema('closeIncident', 'Close it; what is like it from then on is a recurrence'),
        params,
        body: z.strictObject({ revision, reason: reasonSchema }),
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      return view(request, await closeIncident(services, actorOf(request), input));
    },
  );
}
