import { z } from 'zod';
import { revokeStandingApproval } from '../../approvals/standing/end.ts';
import { listStandingApprovals, type StandingApprovalRow } from '../../approvals/standing/store.ts';
import { STANDING_USES_MAX, type StandingApprovalInput } from '../../approvals/standing/wish.ts';
import { STANDING_ENDED_BECAUSE } from '../../domain/approval/standing.ts';
import { durationMs } from '../../domain/duration.ts';
import { durationSchema } from '../../domain/schema/duration.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import {
  agentNameSchema,
  flagSchema,
  instantSchema,
  limitSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';

const tags = ['approvals'];

/** "The like of it, so many times, for so long", as people send it. */
export const standingSchema = z
  .strictObject({
    envelope: textSchema(2_000, 1).describe('CEL over args: what counts as the like of it'),
    maxUses: z.int().min(1).max(STANDING_USES_MAX),
    for: durationSchema.describe('1m to 24h'),
  })
  .describe('Approve the like of it for a while, too');

/** The same in milliseconds: days are as long as the service says. */
export const standingInput = (
  { dayMs }: Pick<Services, 'dayMs'>,
  { for: time, ...rest }: z.infer<typeof standingSchema>,
): StandingApprovalInput => ({ ...rest, forMs: durationMs(time, dayMs) });

export const standingApprovalSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    tool: z.string(),
    grant: z.string(),
    release: z.string(),
    segment: z.string(),
    arm: z.enum(['control', 'candidate']),
    action: z.string().describe('The action it was approved with'),
    envelope: z.string(),
    maxUses: z.number().int(),
    used: z.number().int(),
    startsAt: instantSchema,
    expiresAt: instantSchema,
    createdBy: z.string(),
    endedAt: instantSchema.optional(),
    endedBecause: z.enum(STANDING_ENDED_BECAUSE).optional(),
    endedBy: z.string().optional(),
  })
  .meta({ id: 'StandingApproval' });

export const standingView = (row: StandingApprovalRow) => ({
  id: row.id,
  agent: row.agent,
  tool: row.tool,
  grant: row.grant_name,
  release: row.release,
  segment: row.segment,
  arm: row.arm,
  action: row.action_id,
  envelope: row.envelope,
  maxUses: row.max_uses,
  used: row.used,
  startsAt: row.starts_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  createdBy: row.created_by,
  endedAt: row.ended_at?.toISOString(),
  endedBecause: row.ended_because ?? undefined,
  endedBy: row.ended_by ?? undefined,
});

/** Standing approvals: seen and taken back here, given with a decision. */
export function standingRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/standing-approvals',
    {
      schema: {
        operationId: 'listStandingApprovals',
        tags,
        summary: 'What people approved for a while, the latest first',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          live: flagSchema.describe('true: only those that still count'),
          limit: limitSchema.max(500).default(100),
        }),
        response: { 200: z.object({ standingApprovals: z.array(standingApprovalSchema) }) },
      },
    },
    async (request) => {
      const { agent, live, limit } = request.query;
      const scope = agentScope(actorOf(request), agent);
      const rows = await listStandingApprovals(services.db.sql, {
        ...(scope ? { agent: scope } : {}),
        live: live === 'true',
        limit,
      });
      return { standingApprovals: rows.map(standingView) };
    },
  );
  app.post(
    '/v1/standing-approvals/:id/revoke',
    {
      schema: {
        operationId: 'revokeStandingApproval',
        tags,
        summary: 'Take a standing approval back',
        description: 'Once it is answered, no write begins by it.',
        params: z.object({ id: z.uuid() }),
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: standingApprovalSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, reason: request.body.reason };
      return standingView(await revokeStandingApproval(services, actorOf(request), input));
    },
  );
}
