import { z } from 'zod';
import { recordedBaselines } from '../../statistics/baselines.ts';
import { PAST_ROLLOUTS_MAX, pastCounts } from '../../statistics/past-counts.ts';
import { sentCounts } from '../../statistics/sent-counts.ts';
import { TRAFFIC_DAYS_MAX, trafficOf } from '../../statistics/traffic.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, givenInstantSchema, textSchema } from '../schemas.ts';

const trafficSchema = z
  .object({
    agent: z.string(),
    since: z.string().describe('The first write that it is told from'),
    days: z.number(),
    segments: z.array(
      z.object({
        segment: z.string(),
        tool: z.string().nullable().describe('null: any of them'),
        subjectsADay: z.number(),
      }),
    ),
    baselines: z
      .array(
        z.object({
          rollout: z.string(),
          segment: z.string(),
          metric: z.string(),
          events: z.number(),
          harms: z.number(),
          known: z.number().describe('Of how many of the events somebody said what came of them'),
          mean: z.number().optional(),
          values: z
            .object({ sum: z.number(), squares: z.number(), over: z.number() })
            .optional()
            .describe('Of a sum: of its known values'),
        }),
      )
      .describe('What the releases in force did, as the newest rollouts locked it'),
  })
  .meta({ id: 'Traffic' });

/** How much comes of an agent, and what was counted of it before. */
export function trafficRoutes(app: Api, deps: RouteDeps): void {
  pastRoute(app, deps);
  sentRoute(app, deps);
  const { services } = deps;
  app.get(
    '/v1/agents/:agent/traffic',
    {
      schema: {
        operationId: 'getTraffic',
        tags: ['rollouts'],
        summary:
          'Subjects a day for whom a write was asked, per segment and tool, and what the last baselines measured',
        description:
          'What a rollout has to learn from. The subjects are of the newest 50,000 writes of the days asked for.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(TRAFFIC_DAYS_MAX).default(30),
        }),
        response: { 200: trafficSchema },
      },
    },
    async (request) => {
      const { since, ...traffic } = await trafficOf(services, actorOf(request), {
        agent: request.params.agent,
        days: request.query.days,
      });
      const baselines = await recordedBaselines(services, actorOf(request), request.params.agent);
      return { ...traffic, since: since.toISOString(), baselines };
    },
  );
}

const pastSchema = z
  .object({
    agent: z.string(),
    windows: z.array(
      z.object({
        rollout: z.string(),
        startedAt: z.string(),
        arm: z.enum(['candidate', 'control']),
        segment: z.string(),
        metric: z.string(),
        days: z.array(
          z.object({
            day: z.int().describe('Since the start of the rollout, 0 on the first'),
            events: z.int(),
            harms: z.int(),
            known: z.int().describe('Of how many of the events somebody said what came of them'),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'PastCounts' });

function pastRoute(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/past-counts',
    {
      schema: {
        operationId: 'getPastCounts',
        tags: ['rollouts'],
        summary:
          'What the last rollouts counted by day, of the candidates and of what was in force beside them',
        description: `Of the newest ${PAST_ROLLOUTS_MAX} rollouts. Guardrails are tried on it before they may act.`,
        params: z.object({ agent: agentNameSchema }),
        response: { 200: pastSchema },
      },
    },
    async (request) => {
      const { agent } = request.params;
      const windows = await pastCounts(services, actorOf(request), agent);
      return {
        agent,
        windows: windows.map(({ startedAt, ...window }) => ({
          ...window,
          startedAt: startedAt.toISOString(),
        })),
      };
    },
  );
}

function sentRoute(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/sent-counts',
    {
      schema: {
        operationId: 'getSentCounts',
        tags: ['rollouts'],
        summary: 'What OpenTelemetry exporters sent for a metric, as a rollout would count it',
        description: 'Of whole minutes, for a metric with source.otlp. Points are kept for 33 days.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({
          metric: textSchema(100, 1),
          release: textSchema(100, 1),
          segment: textSchema(100, 1),
          from: givenInstantSchema,
          to: givenInstantSchema,
        }),
        response: {
          200: z
            .object({ counts: z.object({ events: z.number(), harms: z.number() }) })
            .meta({ id: 'SentCounts' }),
        },
      },
    },
    async (request) => {
      const { from, to, ...query } = request.query;
      const time = { from: new Date(from), to: new Date(to) };
      const question = { ...request.params, ...query, ...time };
      return { counts: await sentCounts(services, actorOf(request), question) };
    },
  );
}
