import { z } from 'zod';
import { ROLES } from '../../actor.ts';
import { listTokens } from '../../tokens/list.ts';
import { revokeToken } from '../../tokens/revoke.ts';
import { createToken } from '../../tokens/tokens.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, givenInstantSchema, instantSchema } from '../schemas.ts';

const tags = ['tokens'];
const rolesSchema = z.array(z.enum(ROLES)).min(1);

/** Who may call. */
export function tokenRoutes(app: Api, deps: RouteDeps): void {
  createRoute(app, deps);
  listRoute(app, deps);
  const { services } = deps;
  app.delete(
    '/v1/tokens/:id',
    {
      schema: {
        operationId: 'revokeToken',
        tags,
        summary: 'End a token at once',
        params: z.object({ id: z.uuid() }),
        response: { 200: z.object({ id: z.string(), revokedAt: instantSchema }) },
      },
    },
    async (request) => {
      const { id, revokedAt } = await revokeToken(services, actorOf(request), request.params.id);
      return { id, revokedAt: revokedAt.toISOString() };
    },
  );
}

function createRoute(app: Api, { services }: RouteDeps): void {
  app.post(
    '/v1/tokens',
    {
      schema: {
        operationId: 'createToken',
        tags,
        summary: 'Make a token',
        description: 'The answer is the only place its text is ever shown.',
        body: z.strictObject({
          roles: rolesSchema,
          agent: agentNameSchema.optional(),
          person: agentNameSchema.optional().describe('Whose token it is; needed for approvers'),
          attributes: z
            .record(z.string(), z.unknown())
            .optional()
            .describe('Trusted attributes of its requests'),
          expiresAt: givenInstantSchema.optional(),
        }),
        response: {
          201: z.object({ id: z.string(), token: z.string(), expiresAt: instantSchema.optional() }),
        },
      },
    },
    async (request, reply) => {
      const { expiresAt, ...body } = request.body;
      const made = await createToken(services, actorOf(request), {
        ...body,
        ...(expiresAt && { expiresAt: new Date(expiresAt) }),
      });
      reply.code(201).header('cache-control', 'no-store');
      return { ...made, expiresAt: made.expiresAt?.toISOString() };
    },
  );
}

function listRoute(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/tokens',
    {
      schema: {
        operationId: 'listTokens',
        tags,
        summary: 'All tokens, without their text',
        response: {
          200: z.object({
            tokens: z.array(
              z.object({
                id: z.string(),
                roles: z.array(z.string()),
                agent: z.string().optional(),
                person: z.string().optional(),
                attributes: z.record(z.string(), z.unknown()),
                createdAt: instantSchema,
                createdBy: z.string(),
                expiresAt: instantSchema.optional(),
                revokedAt: instantSchema.optional(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const tokens = await listTokens(services, actorOf(request));
      return {
        tokens: tokens.map((token) => ({
          ...token,
          createdAt: token.createdAt.toISOString(),
          expiresAt: token.expiresAt?.toISOString(),
          revokedAt: token.revokedAt?.toISOString(),
        })),
      };
    },
  );
}
