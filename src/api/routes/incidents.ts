import { z } from 'zod';
import { MECHANISMS } from '../../domain/incident/mechanisms.ts';
import { asSeenBy } from '../../incidents/blind.ts';
import { labelAgreement } from '../../incidents/classify.ts';
import { incidentById, listIncidents, recurrenceOf } from '../../incidents/list.ts';
import { incidentReport } from '../../reports/incident.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, mayReadLog, requireReader } from '../auth.ts';
import { agentNameSchema, textSchema } from '../schemas.ts';
import {
  incidentDetailOf,
  incidentDetailSchema,
  incidentSchema,
  incidentViewOf,
  stateSchema,
} from './incident-schemas.ts';

const tags = ['incidents'];

/** What went wrong, and what was done. */
export function incidentRoutes(app: Api, { services }: RouteDeps): void {
  const { sql: db } = services.db;
  app.get(
    '/v1/incidents',
    {
      schema: {
        operationId: 'listIncidents',
        tags,
        summary: 'Incidents, newest first',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          rollout: textSchema(200).optional(),
          state: stateSchema.optional(),
          cursor: textSchema(120).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(200),
        }),
        response: {
          200: z.object({
            incidents: z.array(incidentSchema),
            nextCursor: z.string().optional(),
            recurrence: z
              .object({
                closed: z.number().int(),
                again: z.number().int().describe('Happened again after one like it was closed'),
              })
              .describe('Over all incidents of the agent, or of all agents'),
          }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      const { incidents, nextCursor } = await listIncidents(db, { ...request.query, agent });
      const seen = await asSeenBy(services, actorOf(request), incidents);
      return {
        incidents: seen.map(incidentViewOf),
        nextCursor,
        recurrence: await recurrenceOf(db, agent),
      };
    },
  );
  app.get(
    '/v1/incidents/mechanisms',
    {
      schema: {
        operationId: 'listMechanisms',
        tags,
        summary: 'The fourteen mechanisms in order, each with its one-line test, and how far labels agree',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: {
          200: z.object({
            mechanisms: z.array(
              z.object({
                name: z.string(),
                test: z.string(),
                who: z.enum(['records', 'outcomes', 'person']),
                example: z.string(),
                caseKind: z.string(),
              }),
            ),
            agreement: z.object({
              pairs: z.number().int(),
              agreed: z.number().int(),
              kappa: z.number().nullable().describe('Cohen’s; null where there is nothing to compare'),
            }),
          }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      return { mechanisms: [...MECHANISMS], agreement: await labelAgreement(db, agent) };
    },
  );
  app.get(
    '/v1/incidents/:id',
    {
      schema: {
        operationId: 'getIncident',
        tags,
        summary: 'One incident with its evidence, writes, cost and timeline',
        params: z.object({ id: textSchema(200, 1) }),
        querystring: z.object({ after: z.coerce.number().int().min(0).optional() }),
        response: { 200: incidentDetailSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      await incidentById(db, actor, request.params.id);
      const report = await incidentReport(db, actor, request.params.id, request.query);
      const [incident = report.incident] = await asSeenBy(services, actor, [report.incident]);
      return incidentDetailOf({ ...report, incident }, mayReadLog(actor));
    },
  );
}
