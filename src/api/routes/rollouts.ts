import { z } from 'zod';
import { ownRollout } from '../../records/rollout.ts';
import { rolloutReport } from '../../reports/rollout.ts';
import { EVIDENCE } from '../../rollouts/evidence-choice.ts';
import { listRollouts } from '../../rollouts/list.ts';
import { preflightNotes } from '../../rollouts/preflight.ts';
import { startRollout } from '../../rollouts/start.ts';
import { rolloutStatus } from '../../rollouts/status.ts';
import { ROLLOUT_VERBS } from '../../rollouts/verb.ts';
import { runRolloutVerb, verbsOf } from '../../rollouts/verbs.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, requireReader } from '../auth.ts';
import { reportDocument } from '../pages/rollout-report.ts';
import {
  agentNameSchema,
  anyObjectSchema,
  flagSchema,
  givenInstantSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';
import { statusOf, statusSchema, summaryOf, summarySchema } from './rollout-views.ts';

const tags = ['rollouts'];
const idParam = textSchema(200, 1).regex(/^[^/\s]+$/);
/** Releases on their way to everyone. */
export function rolloutRoutes(app: Api, deps: RouteDeps): void {
  readRoutes(app, deps);
  const { services } = deps;
  app.post(
    '/v1/rollouts',
    {
      schema: {
        operationId: 'startRollout',
        tags,
        summary: 'Start a rollout',
        description: 'Refused while another one of the agent is open, unless it is to be superseded.',
        body: z.strictObject({
          agent: agentNameSchema,
          release: agentNameSchema,
          reason: reasonSchema,
          supersede: z
            .boolean()
            .default(false)
            .describe('An open one ends and keeps its evidence, and this one takes its place'),
          noneYet: reasonSchema
            .optional()
            .describe(
              'The agent has no regression case yet, and why: said once, of an agent that never had one',
            ),
          waivers: z
            .array(
              z.strictObject({
                case: textSchema(200, 1),
                until: givenInstantSchema.describe('At most 90 days from now'),
                reason: reasonSchema,
              }),
            )
            .max(50)
            .optional()
            .describe('Cases that need not be green until then'),
        }),
        response: {
          201: summarySchema.extend({ notes: z.array(z.string()) }).meta({ id: 'StartedRollout' }),
        },
      },
    },
    async (request, reply) => {
      const { waivers, ...input } = request.body;
      const started = await startRollout(services, actorOf(request), {
        ...input,
        waivers: waivers?.map((one) => ({ ...one, until: new Date(one.until) })),
      });
      reply.code(201).header('location', `/v1/rollouts/${started.id}`);
      return {
        ...summaryOf({ ...started, canRollBack: true }),
        notes: await preflightNotes(services.db.sql, started),
      };
    },
  );
  app.post(
    '/v1/rollouts/:id/:verb',
    {
      schema: {
        operationId: 'steerRollout',
        tags,
        summary: 'Steer a rollout',
        params: z.object({ id: idParam, verb: z.enum(ROLLOUT_VERBS) }),
        body: z.strictObject({
          reason: reasonSchema,
          segment: textSchema(100, 1)
            .optional()
            .describe('rollback, reenter, exclude, ease, accept-arms: this segment'),
          evidence: z
            .enum(EVIDENCE)
            .optional()
            .describe(
              'resume, when a new agent version waits: whether the sample begins anew with it (default) or goes on',
            ),
          fromStep: z
            .int()
            .min(1)
            .optional()
            .describe('reenter: from this earlier step of the plan on. Default: as the present step says'),
          checklist: z.array(textSchema(500)).max(50).optional().describe('approve-gate: what was checked'),
          step: z
            .int()
            .min(1)
            .optional()
            .describe(
              'approve-gate, reject-gate, advance: the step that was seen; refused when it is another by now',
            ),
        }),
        response: {
          200: z.object({ id: z.string(), verb: z.string(), changed: z.boolean(), detail: z.string() }),
        },
      },
    },
    async (request) => {
      const input = { ...request.params, ...request.body };
      const answer = await runRolloutVerb(services, actorOf(request), input);
      return { id: input.id, verb: input.verb, ...answer };
    },
  );
}

function readRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/rollouts',
    {
      schema: {
        operationId: 'listRollouts',
        tags,
        summary: 'Rollouts, open ones first',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: { 200: z.object({ rollouts: z.array(summarySchema) }) },
      },
    },
    async (request) => {
      const rollouts = await listRollouts(services.db.sql, agentScope(actorOf(request), request.query.agent));
      return { rollouts: rollouts.map(summaryOf) };
    },
  );
  app.get(
    '/v1/rollouts/:id',
    {
      schema: {
        operationId: 'getRollout',
        tags,
        summary: 'Where a rollout is, what it waits for and why',
        params: z.object({ id: idParam }),
        response: { 200: statusSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const rollout = await ownRollout(services.db.sql, actor, request.params.id);
      return {
        ...statusOf(await rolloutStatus(services, rollout.id)),
        may: await verbsOf(services, actor, rollout),
      };
    },
  );
  app.get(
    '/v1/rollouts/:id/report',
    {
      schema: {
        operationId: 'reportRollout',
        tags,
        summary: 'Everything there is to see of a rollout, for a file',
        description:
          'Timeline, exposure and, per segment and guardrail, the evidence of each day with both bounds and E. Of a rollout that has ended it is the same each time.',
        params: z.object({ id: idParam }),
        querystring: z.object({ html: flagSchema }),
        response: {
          200: z
            .object({
              report: anyObjectSchema,
              html: z.string().optional().describe('With html=true: the same as one page with its charts'),
            })
            .meta({ id: 'RolloutReport' }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const { id } = await ownRollout(services.db.sql, actor, request.params.id);
      const report = await rolloutReport(services, id);
      return {
        report: { ...report },
        ...(request.query.html === 'true' && { html: reportDocument(report).text }),
      };
    },
  );
}
