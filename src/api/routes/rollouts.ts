import { z } from 'zod';
import type { RolloutRecord } from '../../records/rollout.ts';
import { ownRollout } from '../../records/rollout.ts';
import { rolloutReport } from '../../reports/rollout.ts';
import { EVIDENCE } from '../../rollouts/evidence-choice.ts';
import { preflightNotes } from '../../rollouts/preflight.ts';
import { startRollout } from '../../rollouts/start.ts';
import { listRollouts, type RolloutStatusView, rolloutStatus } from '../../rollouts/status.ts';
import { ROLLOUT_VERBS } from '../../rollouts/verb.ts';
import { runRolloutVerb, verbsOf } from '../../rollouts/verbs.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, requireReader } from '../auth.ts';
import { reportDocument } from '../pages/rollout-report.ts';
import {
  agentNameSchema,
  anyObjectSchema,
  flagSchema,
  instantSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';

const tags = ['rollouts'];
const idParam = textSchema(200, 1).regex(/^[^/\s]+$/);
const STATUSES = ['running', 'paused', 'completed', 'rolled_back', 'superseded'] as const;

const summaryFields = {
  id: z.string(),
  agent: z.string(),
  release: z.string(),
  status: z.enum(STATUSES),
  startedAt: instantSchema,
  startedBy: z.string(),
  endedAt: instantSchema.optional(),
};
const summarySchema = z.object({ ...summaryFields, reason: z.string() }).meta({ id: 'RolloutSummary' });

const statusSchema = z
  .object({
    ...summaryFields,
    phase: z.string(),
    step: z.number().int(),
    steps: z.number().int(),
    plan: z.string().describe('Against plan: "day 74 of 90, 6 late"'),
    day: z.number().int(),
    waitsFor: z.array(anyObjectSchema).describe('What it waits for, and why'),
    planned: z
      .array(
        z.object({
          step: z.number().int(),
          phase: z.string(),
          fromDay: z.number(),
          toDay: z.number(),
          exposure: z.string(),
          bounds: z.string().describe('What holds the candidate in it beside its grants'),
          gate: z.string(),
          state: z.enum(['done', 'now', 'next', 'later', 'not reached']),
        }),
      )
      .describe('The whole plan, in words'),
    segments: z.array(
      z.object({
        segment: z.string(),
        state: z.string(),
        exposurePercent: z.number(),
        asks: z.boolean().describe('Its evidence made each write of the candidate ask people there'),
        generation: z.number().int(),
        release: z.string().optional(),
        reenterFrom: z
          .array(z.number().int())
          .optional()
          .describe('Of one that was rolled back: the earlier steps it may reenter from'),
        verdicts: z.array(anyObjectSchema),
      }),
    ),
    pooled: z.array(anyObjectSchema),
    pairs: z
      .array(
        z.object({
          segment: z.string(),
          verdict: z.string(),
          metrics: z.array(z.object({ metric: z.string(), verdict: z.string() })),
        }),
      )
      .describe('Metrics that are judged together: as good as the worse'),
    worthALook: z
      .array(
        z.object({
          segment: z.string(),
          metric: z.string(),
          why: z.enum(['evidence', 'drift']),
          value: z.number(),
        }),
      )
      .describe('What people should look at although nothing was taken back'),
    lastVerdict: anyObjectSchema
      .optional()
      .describe('The last one judged of a segment, with the counts of each day that it rests on'),
    perDay: z
      .array(anyObjectSchema)
      .optional()
      .describe('Harms a day that each segment may have, and what that rests on; fixed with the baseline'),
    baseline: z.unknown(),
    baselineDigest: z.string().optional(),
    digests: z.record(z.string(), z.string()),
    gateApprovedBy: z.string().optional(),
    builds: z
      .array(z.object({ version: z.string(), counts: z.boolean(), events: z.array(anyObjectSchema) }))
      .describe('The builds it knows, whether their events fill the sample, and what there is of each'),
    subjects: z.object({
      agentsWord: z
        .array(z.string())
        .describe('Segments in which only the agent says what a request is about'),
      perHour: z.number().int().describe('New subjects an hour that it may say there'),
      lastHour: z.number().int(),
      surplus: z.number().int().describe('Subjects that stay in control because they were too many'),
    }),
    may: z.array(z.enum(ROLLOUT_VERBS)).describe('What whoever asks may do with it'),
    dayMs: z.number().describe('Milliseconds of one day of the plan: 86400000 unless days are scaled'),
  })
  .meta({ id: 'RolloutStatus' });

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
        }),
        response: {
          201: summarySchema.extend({ notes: z.array(z.string()) }).meta({ id: 'StartedRollout' }),
        },
      },
    },
    async (request, reply) => {
      const started = await startRollout(services, actorOf(request), request.body);
      reply.code(201).header('location', `/v1/rollouts/${started.id}`);
      return { ...summaryOf(started), notes: await preflightNotes(services.db.sql, started) };
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
          segment: textSchema(100, 1).optional().describe('rollback, reenter, exclude: this segment'),
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
        may: rollout.ended_at ? [] : await verbsOf(services, actor, rollout),
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

const summaryOf = ({ id, agent, release, status, reason, ...times }: RolloutRecord) => ({
  id,
  agent,
  release,
  status,
  reason,
  startedAt: times.started_at.toISOString(),
  startedBy: times.started_by,
  endedAt: times.ended_at?.toISOString(),
});

const statusOf = (status: RolloutStatusView) => ({
  ...status,
  startedAt: status.startedAt.toISOString(),
  endedAt: status.endedAt?.toISOString(),
  waitsFor: status.waitsFor.map((wait) => ({ ...wait })),
  pooled: status.pooled.map((verdict) => ({ ...verdict })),
  lastVerdict: status.lastVerdict === null ? undefined : { ...status.lastVerdict },
  perDay: status.perDay?.map((one) => ({ ...one })),
  segments: status.segments.map((segment) => ({
    ...segment,
    release: segment.release ?? undefined,
    verdicts: segment.verdicts.map((verdict) => ({ ...verdict })),
  })),
  baselineDigest: status.baselineDigest ?? undefined,
  gateApprovedBy: status.gateApprovedBy ?? undefined,
});
