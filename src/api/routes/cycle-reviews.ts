import { z } from 'zod';
import { writtenReviewSchema } from '../../domain/review/cycle.ts';
import { gatherFacts } from '../../reviews/cycle-facts.ts';
import { calibration, cycleReviewById, listCycleReviews } from '../../reviews/cycle-list.ts';
import { cycleView } from '../../reviews/cycle-view.ts';
import { secondCycleReview, writeCycleReview } from '../../reviews/write.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, requireReader } from '../auth.ts';
import {
  agentNameSchema,
  anyObjectSchema,
  flagSchema,
  instantSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';

const tags = ['reviews'];
const params = z.object({ id: textSchema(200, 1) });
const count = z.number().int();

const cycleReviewSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    rollout: z.string(),
    release: z.string(),
    ending: z.string(),
    segments: z.array(z.string()),
    because: z.string(),
    openedAt: instantSchema,
    dueAt: instantSchema,
    state: z.enum(['due', 'awaiting_second', 'written']),
    facts: anyObjectSchema.optional().describe('What changed and what was seen: facts of the system'),
    recommendation: z.string().optional().describe('Of the frozen criteria: go_on, roll_back or review'),
    decision: z.string().optional(),
    written: anyObjectSchema.optional().describe('What people wrote'),
    writtenBy: z.string().optional(),
    writtenAt: instantSchema.optional(),
    secondedBy: z.string().optional(),
    secondedAt: instantSchema.optional(),
    followUp: z.string().optional(),
    prediction: z.enum(['open', 'hit', 'miss', 'not_measurable']).optional(),
    measured: z.object({ value: z.number().nullable(), events: z.number() }).optional(),
    scoredAt: instantSchema.optional(),
  })
  .meta({ id: 'CycleReview' });

/** What each cycle of a rollout came to: facts of the system, a decision and a prediction of people. */
export function cycleReviewRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/cycle-reviews',
    {
      schema: {
        operationId: 'listCycleReviews',
        tags,
        summary: 'Reviews of cycles, newest first, and how predictions came out',
        querystring: z.object({ agent: agentNameSchema.optional(), owed: flagSchema }),
        response: {
          200: z.object({
            reviews: z.array(cycleReviewSchema),
            calibration: z.array(
              z.object({ team: z.string(), hit: count, miss: count, notMeasurable: count, open: count }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      const rows = await listCycleReviews(services.db.sql, { agent, owed: request.query.owed === 'true' });
      return {
        reviews: rows.map((row) => cycleView(row, services.dayMs)),
        calibration: await calibration(services.db.sql, agent),
      };
    },
  );
  app.get(
    '/v1/cycle-reviews/:id',
    {
      schema: {
        operationId: 'getCycleReview',
        tags,
        summary: 'One review of a cycle with its facts',
        params,
        response: { 200: cycleReviewSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const row = await cycleReviewById(services.db.sql, actor, request.params.id);
      return cycleView(await gatherFacts(services, row), services.dayMs);
    },
  );
  app.post(
    '/v1/cycle-reviews/:id/write',
    {
      schema: {
        operationId: 'writeCycleReview',
        tags,
        summary: 'Write the review of a cycle: cause, next intervention, prediction',
        description: 'Once. At most 200 words. Deciding against the recommendation waits for a second owner.',
        params,
        body: writtenReviewSchema,
        response: { 200: cycleReviewSchema },
      },
    },
    async (request) =>
      cycleView(
        await writeCycleReview(services, actorOf(request), request.params.id, request.body),
        services.dayMs,
      ),
  );
  app.post(
    '/v1/cycle-reviews/:id/second',
    {
      schema: {
        operationId: 'secondCycleReview',
        tags,
        summary: 'Stand, as a second person, for a decision against the recommendation',
        params,
        body: z.object({ reason: reasonSchema }),
        response: { 200: cycleReviewSchema },
      },
    },
    async (request) =>
      cycleView(
        await secondCycleReview(services, actorOf(request), request.params.id, request.body.reason),
        services.dayMs,
      ),
  );
}
