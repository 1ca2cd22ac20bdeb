import { z } from 'zod';
import { readBusiness } from '../../statistics/business.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema } from '../schemas.ts';
import { periodAsked, periodQuery } from './replays.ts';

const figure = z
  .object({
    name: z.string(),
    value: z.number().nullable().describe('Null: unknown. With "unknown" it is at least this'),
    unit: z.string(),
    inputs: z.array(z.string()).describe('All that it is made of'),
    unknown: z.array(z.string()).describe('What is not known of it: never counted as 0'),
    signal: z.string().describe('What a technician would look at instead'),
  })
  .meta({ id: 'BusinessFigure' });
const set = z
  .object({
    completion: figure,
    correction: figure,
    effort: z.object({
      waiting: figure,
      turns: figure,
      contacts: figure,
      repeats: figure,
      handOvers: figure,
    }),
    cost: figure,
    latency: figure,
  })
  .meta({ id: 'BusinessSet' });
const count = z.number();
const tasks = z.object({ started: count, open: count, done: count, right: count, handed: count });
const amount = z.number().nullable();

const businessSchema = z
  .object({
    agent: z.string(),
    from: instantSchema,
    to: instantSchema,
    matureBefore: instantSchema.describe(
      'What was asked later is too young to say that it stayed right, and in none of the figures',
    ),
    dayMs: z.number(),
    currency: z.string().nullable(),
    whole: set,
    segments: z.array(z.object({ segment: z.string(), figures: set })),
    controls: z
      .array(
        z.object({
          tool: z.string(),
          stopped: z.object({ writes: count, amount, text: z.string() }),
          friction: z.object({
            waitedMinutes: count,
            approverMinutes: count,
            amount,
            overBlocked: count,
            text: z.string(),
          }),
          deniedByPolicy: count,
        }),
      )
      .describe('Harm stopped beside friction, by tool'),
    arms: z
      .array(
        z.object({
          segment: z.string(),
          release: z.string(),
          candidate: tasks,
          control: tasks,
          difference: amount,
          lower: amount,
          upper: amount,
          says: z.enum(['caused-better', 'caused-worse', 'not-shown', 'no-overlap']),
        }),
      )
      .describe('Candidate beside control: only here anything is caused'),
    before: z
      .object({ from: instantSchema, whole: set })
      .describe('The equally long time before: what differs moved together, and is not shown to be caused'),
  })
  .meta({ id: 'Business' });

/** What it comes to for the business. */
export function businessRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/business',
    {
      schema: {
        operationId: 'getBusiness',
        tags: ['agents'],
        summary: 'Business figures of a period',
        description:
          'Completion over tasks started, minutes of people, effort of customers, cost of a task that stayed right, by segment, each with what it is made of and what is not known of it. From counters by quarters of a day.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object(periodQuery('30d')),
        response: { 200: businessSchema },
      },
    },
    async (request) => {
      const { agent } = request.params;
      const period = periodAsked(services, request.query);
      const { from, to, matureBefore, before, ...found } = await readBusiness(services, actorOf(request), {
        agent,
        ...period,
      });
      return {
        ...found,
        from: from.toISOString(),
        to: to.toISOString(),
        matureBefore: matureBefore.toISOString(),
        before: { ...before, from: before.from.toISOString() },
      };
    },
  );
}
