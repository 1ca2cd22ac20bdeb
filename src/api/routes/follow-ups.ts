import { z } from 'zod';
import { doneText } from '../../domain/follow-up/done.ts';
import { type FollowUpRow, listFollowUps } from '../../follow-ups/find.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, instantSchema, textSchema } from '../schemas.ts';
import { severitySchema } from './incident-schemas.ts';

const stateSchema = z.enum(['proposed', 'committed', 'claimed', 'verified', 'not_doing', 'superseded']);

export const followUpSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    incident: z.string().optional(),
    review: z.string().optional(),
    sentence: z.string(),
    state: stateSchema,
    severity: severitySchema,
    owner: z.string().optional(),
    dueAt: instantSchema.optional(),
    done: z.string().describe('The predicate, in words'),
    predicate: anyObjectSchema,
    checked: anyObjectSchema.optional().describe('What the predicate last came to'),
    link: z.string().optional(),
    reason: z.string().optional(),
    waiver: z.object({ person: z.string(), reason: z.string(), until: instantSchema }).optional(),
    proposedAt: instantSchema,
    proposedBy: z.string(),
    committedBy: z.string().optional(),
    claimedBy: z.string().optional(),
    verifiedBy: z.string().optional(),
    supersededBy: z.string().optional(),
    revision: z.number().int(),
  })
  .meta({ id: 'FollowUp' });

export const followUpViewOf = (row: FollowUpRow): z.infer<typeof followUpSchema> => ({
  id: row.id,
  agent: row.agent,
  incident: row.incident_id ?? undefined,
  review: row.review_id ?? undefined,
  sentence: row.sentence,
  state: row.state,
  severity: row.severity,
  owner: row.owner ?? undefined,
  dueAt: row.due_at?.toISOString(),
  done: doneText(row.done),
  predicate: { ...row.done },
  checked: row.checked ?? undefined,
  link: row.link ?? undefined,
  reason: row.reason ?? undefined,
  waiver: row.waiver ?? undefined,
  proposedAt: row.proposed_at.toISOString(),
  proposedBy: row.proposed_by,
  committedBy: row.committed_by ?? undefined,
  claimedBy: row.claimed_by ?? undefined,
  verifiedBy: row.verified_by ?? undefined,
  supersededBy: row.superseded_by ?? undefined,
  revision: row.revision,
});

/** What people will do. */
export function followUpRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/follow-ups',
    {
      schema: {
        operationId: 'listFollowUps',
        tags: ['follow-ups'],
        summary: 'Follow-ups, the last proposed first',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          state: stateSchema.optional(),
          incident: textSchema(200).optional(),
          cursor: textSchema(120).optional(),
          limit: z.coerce.number().int().min(1).max(200).default(100),
        }),
        response: {
          200: z.object({ followUps: z.array(followUpSchema), nextCursor: z.string().optional() }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      const { followUps, nextCursor } = await listFollowUps(services.db.sql, { ...request.query, agent });
      return { followUps: followUps.map(followUpViewOf), nextCursor };
    },
  );
}
