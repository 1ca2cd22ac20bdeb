import { z } from 'zod';
import { actionView, actionViews } from '../../actions/view.ts';
import { listUnreviewed, reviewBreakGlass } from '../../approvals/review.ts';
import { riskSchema } from '../../domain/agent.ts';
import { approvalStats, STATS_DAYS_MAX } from '../../statistics/approvals.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { actionSchema, agentNameSchema, idSchema, instantSchema, reasonSchema } from '../schemas.ts';
import { shareSchema } from './posture.ts';

const tags = ['approvals'];
const count = z.number().int();
const askedShape = {
  asked: count,
  approved: count,
  denied: count,
  edited: count,
  expired: count.describe('Time ran out before enough had answered'),
  unanswered: count.describe('Expired without any answer at all'),
  stopped: count.describe('Withdrawn, superseded or switched off while it waited'),
  waiting: count,
};
const answersShape = {
  answered: count,
  approved: count,
  denied: count,
  asDeputy: count,
  medianMs: z.number().optional().describe('From shown to answered'),
  p95Ms: z.number().optional(),
  /** Approvals in under three seconds, of those whose time is known. */
  hasty: shareSchema,
};
const waitedShape = { count, medianMs: z.number().optional(), totalMs: z.number() };

const statsSchema = z
  .object({
    agent: z.string().optional(),
    since: instantSchema,
    days: z.number(),
    dayMs: z.number(),
    asked: z.object(askedShape),
    answers: z.object(answersShape),
    people: z.array(
      z.object({
        person: z.string(),
        asked: count.describe('Actions they were told of or answered'),
        edited: count,
        ...answersShape,
      }),
    ),
    tools: z.array(
      z.object({
        agent: z.string(),
        tool: z.string(),
        risk: riskSchema,
        ...askedShape,
        medianWaitMs: z.number().optional().describe('From asked to decided'),
      }),
    ),
    breakGlass: z.object({ count, reviewed: count, unjustified: count }),
    standing: z.object({ started: count, used: count.describe('Actions that ran by one') }),
    gating: z
      .object({
        right: z.object(waitedShape).describe('Executed writes that nobody called wrong'),
        stopped: z
          .array(
            z.object({
              state: z.string(),
              ...waitedShape,
              approved: count.describe('Ended once approved, not begun'),
            }),
          )
          .describe('Writes that ended while they waited though nobody called them wrong'),
        wronglyStopped: z
          .object({ byPeople: count, byPolicy: count, expired: count, ...waitedShape })
          .describe('Called right by a person, afterwards'),
      })
      .describe('What waiting cost'),
  })
  .meta({ id: 'ApprovalStats' });

/** Looking back at approvals: those given alone, and how people answer. */
export function approvalReviewRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/approvals/reviews',
    {
      schema: {
        operationId: 'listReviews',
        tags,
        summary: 'Approvals given alone that nobody has reviewed yet, the oldest first',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: {
          200: z.object({
            reviews: z.array(
              z.object({
                action: actionSchema,
                person: z.string(),
                at: instantSchema,
                via: z.string(),
                reason: z.string(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      const broken = await listUnreviewed(services.db.sql, { agent });
      const views = await actionViews(
        services,
        broken.map(({ action }) => action),
      );
      const reviews = broken.flatMap(({ at, action: { id }, ...one }) => {
        const action = views.find((view) => view.id === id);
        return action ? [{ ...one, action, at: at.toISOString() }] : [];
      });
      return { reviews };
    },
  );
  app.post(
    '/v1/actions/:id/review',
    {
      schema: {
        operationId: 'review',
        tags,
        summary: 'A second person’s word on an approval given alone, once',
        params: z.object({ id: idSchema }),
        body: z.strictObject({ justified: z.boolean(), note: reasonSchema }),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      const action = await reviewBreakGlass(services, actorOf(request), input);
      return actionView(services, action, { args: false });
    },
  );
  app.get(
    '/v1/approvals/stats',
    {
      schema: {
        operationId: 'approvalStats',
        tags,
        summary: 'How people approve: speed, load, and what waiting costs',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          days: z.coerce.number().int().min(1).max(STATS_DAYS_MAX).default(7),
        }),
        response: { 200: statsSchema },
      },
    },
    async (request) => {
      const stats = await approvalStats(services, actorOf(request), request.query);
      return { ...stats, since: stats.since.toISOString() };
    },
  );
}
