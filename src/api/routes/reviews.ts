import { z } from 'zod';
import { requireAllAgents, requireRole } from '../../actor.ts';
import { REVIEW_FUNCTIONS } from '../../domain/review/weekly.ts';
import { makeWeeklyReview } from '../../reviews/make.ts';
import {
  answerReview,
  listWeeklyReviews,
  previewReview,
  verifyReview,
  weeklyReview,
} from '../../reviews/weekly.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireReader } from '../auth.ts';
import { anyObjectSchema, instantSchema, reasonSchema, textSchema } from '../schemas.ts';

const tags = ['reviews'];
const params = z.object({ week: textSchema(20, 1).describe('An ISO week, such as 2026-W47') });
const versioned = z.object({ version: z.coerce.number().int().min(1).max(1_000).optional() });
const answer = z.object({
  function: z.string(),
  person: z.string(),
  comment: z.string().optional(),
  at: instantSchema,
  via: z.string(),
});
const shown = z
  .object({
    week: z.string(),
    version: z.number().int(),
    madeAt: instantSchema,
    dueAt: instantSchema,
    digest: z.string(),
    difference: z.array(z.string()).describe('What late data changed since the version before'),
    snapshot: anyObjectSchema.describe('The facts'),
    page: anyObjectSchema.describe('What is shown of them'),
    markdown: z.string(),
    answers: z.array(answer),
  })
  .meta({ id: 'WeeklyReview' });

/** One page a week: made by the schedule, read by each function. */
export function reviewRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/reviews',
    {
      schema: {
        operationId: 'listWeeklyReviews',
        tags,
        summary: 'The weeks that have a page, newest first, and who has read it',
        response: {
          200: z.object({
            reviews: z.array(
              z.object({
                week: z.string(),
                version: z.number().int(),
                madeAt: instantSchema,
                dueAt: instantSchema,
                digest: z.string(),
                readBy: z.array(z.string()),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      requireReader(actorOf(request));
      const rows = await listWeeklyReviews(services);
      return {
        reviews: rows.map(({ week, version, made_at, due_at, digest, readBy }) => ({
          week,
          version,
          madeAt: made_at.toISOString(),
          dueAt: due_at.toISOString(),
          digest,
          readBy,
        })),
      };
    },
  );
  app.get(
    '/v1/reviews/:week',
    {
      schema: {
        operationId: 'getWeeklyReview',
        tags,
        summary: 'The page of a week: facts, page, Markdown and answers',
        params,
        querystring: versioned,
        response: { 200: shown },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const { stored, snapshot, page, markdown, answers } = await weeklyReview(
        services,
        actor,
        request.params.week,
        request.query.version,
      );
      return {
        week: stored.week,
        version: stored.version,
        madeAt: stored.made_at.toISOString(),
        dueAt: stored.due_at.toISOString(),
        digest: stored.digest,
        difference: actor.agent === undefined ? stored.difference : [],
        snapshot: { ...snapshot },
        page: { ...page },
        markdown,
        answers: answers.map(({ comment, at, ...one }) => ({
          ...one,
          at: at.toISOString(),
          ...(comment !== null && { comment }),
        })),
      };
    },
  );
  app.post(
    '/v1/reviews',
    {
      schema: {
        operationId: 'makeWeeklyReview',
        tags,
        summary: 'Make the page of the last week that is over, as the schedule does',
        description: 'Nothing changes where there is one already and no late data came.',
        body: z.object({}),
        response: {
          200: z.object({ made: z.array(z.object({ week: z.string(), version: z.number().int() })) }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireRole(actor, ['release-manager', 'on-call']);
      requireAllAgents(actor, ', and a page is of all');
      const made = await makeWeeklyReview(services);
      return { made: made.map(({ week, version }) => ({ week, version })) };
    },
  );
  app.get(
    '/v1/reviews/preview',
    {
      schema: {
        operationId: 'previewWeeklyReview',
        tags,
        summary: 'A look at the week that is not over: kept nowhere',
        response: {
          200: z.object({ snapshot: anyObjectSchema, page: anyObjectSchema, markdown: z.string() }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const { snapshot, page, markdown } = await previewReview(services, actor);
      return { snapshot: { ...snapshot }, page: { ...page }, markdown };
    },
  );
  app.get(
    '/v1/reviews/:week/verify',
    {
      schema: {
        operationId: 'verifyWeeklyReview',
        tags,
        summary: 'Make a page again: from its snapshot, and the snapshot from the records',
        params,
        querystring: versioned,
        response: {
          200: z.object({
            week: z.string(),
            version: z.number().int(),
            digest: z.string(),
            snapshotIntact: z.boolean(),
            pageSame: z.boolean(),
            differences: z.array(z.string()),
          }),
        },
      },
    },
    async (request) => verifyReview(services, actorOf(request), request.params.week, request.query.version),
  );
  app.post(
    '/v1/reviews/:week/answers',
    {
      schema: {
        operationId: 'answerWeeklyReview',
        tags,
        summary: 'Acknowledge or comment a page for a function',
        params,
        body: z.object({
          function: z.enum(REVIEW_FUNCTIONS),
          comment: reasonSchema.optional().describe('None: it is only acknowledged'),
        }),
        response: { 200: z.object({ week: z.string(), function: z.string() }) },
      },
    },
    async (request) => {
      const { week } = request.params;
      const actor = actorOf(request);
      requireRole(actor, ['approver', 'release-manager', 'on-call', 'auditor']);
      await answerReview(services, actor, { week, ...request.body });
      return { week, function: request.body.function };
    },
  );
}
