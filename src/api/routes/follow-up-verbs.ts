import { z } from 'zod';
import { DONE_FORMS } from '../../domain/follow-up/done.ts';
import { commitFollowUp, proposeFollowUp } from '../../follow-ups/propose.ts';
import { claimFollowUp, dropFollowUp, verifyFollowUp, waiveFollowUp } from '../../follow-ups/settle.ts';
import { FACT_SOURCES } from '../../follow-ups/sources.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, givenInstantSchema, reasonSchema, textSchema } from '../schemas.ts';
import { followUpSchema, followUpViewOf } from './follow-ups.ts';
import { severitySchema } from './incident-schemas.ts';

const params = z.object({ id: textSchema(200, 1) });
const tags = ['follow-ups'];
const response = { 200: followUpSchema };

const proposeSchema = z.strictObject({
  agent: agentNameSchema,
  sentence: textSchema(300, 1).describe('Verb first'),
  done: textSchema(300, 1)
    .optional()
    .describe(`One of: ${DONE_FORMS.join('; ')}. Else a link and a second person`),
  incident: textSchema(200, 1).optional(),
  severity: severitySchema.optional(),
});

/** What people do about follow-ups. */
export function followUpVerbRoutes(app: Api, { services }: RouteDeps): void {
  const schema = (operationId: string, summary: string) => ({ operationId, summary, tags, response });
  app.post(
    '/v1/follow-ups',
    { schema: { ...schema('proposeFollowUp', 'Write down an idea; it binds nobody'), body: proposeSchema } },
    async (request) => followUpViewOf(await proposeFollowUp(services, actorOf(request), request.body)),
  );
  app.post(
    '/v1/follow-ups/:id/commit',
    {
      schema: {
        ...schema('commitFollowUp', 'Promise it: one person, one day'),
        params,
        body: z.strictObject({
          owner: textSchema(100, 1),
          dueAt: givenInstantSchema,
          severity: severitySchema.optional(),
        }),
      },
    },
    async (request) => {
      const { dueAt, ...input } = request.body;
      const promise = { ...input, ...request.params, dueAt: new Date(dueAt) };
      return followUpViewOf(await commitFollowUp(services, actorOf(request), promise));
    },
  );
  app.post(
    '/v1/follow-ups/:id/claim',
    {
      schema: {
        ...schema('claimFollowUp', 'Say that it is done; the records or a second person verify it'),
        params,
        body: z.strictObject({ link: textSchema(500, 1).optional() }),
      },
    },
    async (request) => {
      const input = { ...request.params, ...request.body };
      return followUpViewOf(await claimFollowUp(services, actorOf(request), input, FACT_SOURCES));
    },
  );
  app.post(
    '/v1/follow-ups/:id/verify',
    {
      schema: {
        ...schema('verifyFollowUp', 'Confirm a claimed link as a second person'),
        params,
        body: z.strictObject({}),
      },
    },
    async (request) => followUpViewOf(await verifyFollowUp(services, actorOf(request), request.params)),
  );
  app.post(
    '/v1/follow-ups/:id/drop',
    {
      schema: {
        ...schema('dropFollowUp', 'Say that it will not be done, or what takes its place'),
        params,
        body: z.strictObject({ reason: reasonSchema, supersededBy: textSchema(200, 1).optional() }),
      },
    },
    async (request) => {
      const input = { ...request.params, ...request.body };
      return followUpViewOf(await dropFollowUp(services, actorOf(request), input));
    },
  );
  app.post(
    '/v1/follow-ups/:id/waive',
    {
      schema: {
        ...schema('waiveFollowUp', 'Take it on that it blocks nothing until then'),
        params,
        body: z.strictObject({ reason: reasonSchema, until: givenInstantSchema }),
      },
    },
    async (request) => {
      const { reason, until } = request.body;
      const input = { ...request.params, reason, until: new Date(until) };
      return followUpViewOf(await waiveFollowUp(services, actorOf(request), input));
    },
  );
}
