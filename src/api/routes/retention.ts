import { z } from 'zod';
import { KEPT } from '../../domain/retention.ts';
import { type Hold, holdRetention, releaseRetention } from '../../retention/holds.ts';
import { type KeptStatus, retentionStatus } from '../../retention/status.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { instantSchema, reasonSchema } from '../schemas.ts';
import { sealSchema, sealView } from '../seal-view.ts';

const tags = ['retention'];

const holdSchema = z
  .object({
    id: z.number().int(),
    reason: z.string(),
    heldBy: z.string(),
    heldAt: instantSchema,
    releasedBy: z.string().optional(),
    releasedAt: instantSchema.optional(),
  })
  .meta({ id: 'RetentionHold' });

const keptSchema = z.object({
  kept: z.enum(KEPT),
  variable: z.string().describe('The environment variable of the service that sets it'),
  reason: z.string().describe('What it is, and why it is kept for as long'),
  keepMs: z.number().int(),
  bytes: z.number().int().describe('With indexes'),
  partitions: z.number().int(),
  oldest: instantSchema.optional().describe('From when the oldest partition is that will go'),
  nextDrop: instantSchema.optional().describe('When it goes, unless something holds it'),
});

const holdView = (hold: Hold): z.infer<typeof holdSchema> => ({
  id: hold.id,
  reason: hold.reason,
  heldBy: hold.held_by,
  heldAt: hold.held_at.toISOString(),
  releasedBy: hold.released_by ?? undefined,
  releasedAt: hold.released_at?.toISOString(),
});

const keptView = ({ oldest, nextDrop, ...kept }: KeptStatus): z.infer<typeof keptSchema> => ({
  ...kept,
  oldest: oldest?.toISOString(),
  nextDrop: nextDrop?.toISOString(),
});

/** What is kept for how long. */
export function retentionRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/retention',
    {
      schema: {
        operationId: 'retentionStatus',
        tags,
        summary: 'What is kept for how long, how much it is, and what goes next',
        response: {
          200: z.object({
            kinds: z.array(keptSchema),
            holds: z
              .array(holdSchema)
              .describe('While one is in force nothing is dropped but old idempotency keys'),
            sealed: sealSchema.optional().describe('Absent: the log begins with its first entry'),
          }),
        },
      },
    },
    async (request) => {
      const { kinds, holds, sealed } = await retentionStatus(services, actorOf(request));
      return { kinds: kinds.map(keptView), holds: holds.map(holdView), sealed: sealed && sealView(sealed) };
    },
  );
  app.post(
    '/v1/retention/holds',
    {
      schema: {
        operationId: 'holdRetention',
        tags,
        summary: 'Drop nothing, however old, until this is released',
        description:
          'For an audit, a dispute, a court. Several may be in force; each is released on its own. An erasure is no drop: it is done all the same.',
        body: z.strictObject({ reason: reasonSchema }),
        response: { 201: holdSchema },
      },
    },
    async (request, reply) => {
      const hold = await holdRetention(services, actorOf(request), request.body);
      reply.code(201);
      return holdView(hold);
    },
  );
  app.post(
    '/v1/retention/holds/:id/release',
    {
      schema: {
        operationId: 'releaseRetention',
        tags,
        summary: 'Let go again what is over',
        params: z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: holdSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, reason: request.body.reason };
      return holdView(await releaseRetention(services, actorOf(request), input));
    },
  );
}
