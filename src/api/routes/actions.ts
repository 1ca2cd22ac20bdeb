import { z } from 'zod';
import type { ActionView, ViewParts } from '../../actions/action-view.ts';
import { type Asked, askAction } from '../../actions/ask.ts';
import { type Begun, beginAction } from '../../actions/begin.ts';
import { listActions } from '../../actions/list.ts';
import { actionView, actionViews, viewOf } from '../../actions/view.ts';
import type { Actor } from '../../actor.ts';
import { ACTION_STATES } from '../../domain/action.ts';
import { BEHIND_MAX } from '../../domain/release.ts';
import { AppError } from '../../errors.ts';
import type { ActionRow } from '../../records/action.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, callerOf } from '../auth.ts';
import { PROBLEM_TYPE } from '../problems.ts';
import {
  actionSchema,
  agentNameSchema,
  credentialSchema,
  flagSchema,
  instantSchema,
  limitSchema,
  problemSchema,
  textSchema,
} from '../schemas.ts';

const RETRY_AFTER_S = 1;
const LINKS_MAX = 20;

export const askSchema = z.strictObject({
  agent: agentNameSchema.optional().describe("Default: the token's agent"),
  agentVersion: textSchema(200, 1).describe('The build that asks: model, prompt, code'),
  tool: textSchema(200, 1),
  args: z.record(z.string(), z.unknown()).default({}).describe('Exact JSON'),
  context: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('What the agent itself claims; may only lead to a stricter outcome'),
  assertion: z.string().max(16_000).optional().describe('A signed JWT with trusted attributes'),
  subject: textSchema(500, 1).describe('The conversation or customer it is about'),
  reason: textSchema(2_000).optional(),
  behind: z
    .union([textSchema(200, 1), z.array(textSchema(200, 1)).max(BEHIND_MAX)])
    .default([])
    .describe(
      'Who prompted it, drives the agent or is acted for (id, e-mail or Slack account); they may not approve',
    ),
  links: z.array(textSchema(2_000)).max(LINKS_MAX).default([]),
  idempotencyKey: textSchema(200, 1),
  executionId: textSchema(200, 1)
    .optional()
    .describe('With begin=true; default: one that belongs to the idempotency key, and is answered'),
});

export const askedSchema = actionSchema
  .extend({
    recorded: z.enum(['before', 'after']),
    repeated: z.boolean().describe('The same idempotency key was asked before'),
    startBy: instantSchema.optional().describe('Compare last before sending'),
    credential: credentialSchema.optional(),
  })
  .meta({ id: 'AskedAction' });

const asked = (description: string) => ({
  description,
  content: { 'application/json': { schema: askedSchema } },
});

/** Asking, and the list of what was asked. */
export function actionRoutes(app: Api, deps: RouteDeps): void {
  askRoute(app, deps);
  const { services } = deps;
  app.get(
    '/v1/actions',
    {
      schema: {
        operationId: 'listActions',
        tags: ['actions'],
        summary: 'Actions, newest first',
        querystring: z.object({
          agent: agentNameSchema.optional(),
          state: z.enum(ACTION_STATES).optional(),
          segment: textSchema(100).optional(),
          cursor: textSchema(100).optional(),
          limit: limitSchema.max(200).default(50),
        }),
        response: { 200: z.object({ actions: z.array(actionSchema), nextCursor: z.string().optional() }) },
      },
    },
    async (request) => {
      const { agent, ...filter } = request.query;
      const scope = agentScope(actorOf(request), agent);
      const { actions, nextCursor } = await listActions(services.db.sql, { ...filter, agent: scope });
      return { actions: await actionViews(services, actions), nextCursor };
    },
  );
}

function askRoute(app: Api, deps: RouteDeps): void {
  const { services, metrics, bounds } = deps;
  app.post(
    '/v1/actions',
    {
      config: { tokenIn: 'memory' },
      schema: {
        operationId: 'ask',
        tags: ['actions'],
        summary: 'Ask before a tool is used',
        description:
          'Recorded before it is answered. The same idempotency key gives the same action, whichever agentVersion and attributes it is repeated with; with another tool, args, subject or context it is 409, and `differs` names which. With begin=true an allowed write begins in the same round trip, unless people changed its arguments; repeated with the same key until startBy, the same execution is handed over again with a new credential, and the old one is revoked.',
        querystring: z.object({ begin: flagSchema }),
        body: askSchema,
        response: {
          200: asked('Allowed'),
          202: asked('A person is asked: poll Location'),
          403: {
            description: 'Denied by policy, with reasons; or a problem document: this token may not ask',
            content: {
              'application/json': { schema: askedSchema },
              [PROBLEM_TYPE]: { schema: problemSchema },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { executionId, behind, ...body } = request.body;
      const people = typeof behind === 'string' ? [behind] : behind;
      const begin = request.query.begin === 'true' ? { executionId } : undefined;
      const input = { ...body, behind: people, agent: agentOf(actor, body.agent), begin };
      const release = bounds.asks.take(callerOf(request));
      const answer = await askAction(services, actor, input).finally(release);
      const { outcome, recorded, repeated } = answer;
      metrics.asked.inc({ outcome, kind: answer.action.kind });
      const begun = begin && (await begunOf(deps, actor, answer, executionId));
      const view = begun
        ? viewOf(services, begun.action, begun.parts)
        : await askedView(deps, answer.action, repeated);
      if (outcome === 'pending') {
        reply.header('location', `/v1/actions/${view.id}`).header('retry-after', RETRY_AFTER_S);
      }
      reply.code(outcome === 'allowed' ? 200 : outcome === 'pending' ? 202 : 403).type('application/json');
      return { ...view, recorded, repeated, ...(begun && begunPart(begun)) };
    },
  );
}

/** The agent of the body, else the token's. */
export function agentOf(actor: Actor, asked: string | undefined): string {
  const agent = asked ?? actor.agent;
  if (agent === undefined) throw new AppError('invalid_input', 'Cannot tell the agent: send "agent"');
  return agent;
}

/**
 * What people changed while it waited is begun by its round, so that the agent knows of the change. What has begun is
 * handed over again while it may start; what is over is answered as it is.
 */
const mayBeginNow = ({ action }: Asked): boolean =>
  (action.state === 'approved' || action.state === 'executing') &&
  action.kind === 'write' &&
  action.round === 0;

/** The write as it began: with its question, or now; `undefined` where it cannot yet, or not any more. */
async function begunOf(
  deps: RouteDeps,
  actor: Actor,
  answer: Asked,
  executionId: string | undefined,
): Promise<Begun | undefined> {
  const { action, credential } = answer;
  if (credential && action.start_by) {
    deps.metrics.begun.inc({ result: 'begun' });
    return { action, credential, startBy: action.start_by, parts: await partsInMemory(deps, action) };
  }
  if (!mayBeginNow(answer)) return undefined;
  return beginCounted(deps, actor, { id: action.id, executionId: executionOf(answer, executionId) });
}

/** Without an id of the caller's the execution is the question's own: whoever repeats its key begins the same one. */
const executionOf = ({ action }: Asked, given: string | undefined): string =>
  given ?? action.execution_id ?? action.id;

/** A first ask has no decisions to look up; what the manifest says of the tool is in memory. */
async function askedView(deps: RouteDeps, action: ActionRow, repeated: boolean): Promise<ActionView> {
  if (repeated) return actionView(deps.services, action, { args: false });
  return viewOf(deps.services, action, await partsInMemory(deps, action));
}

async function partsInMemory({ services }: RouteDeps, { agent }: ActionRow): Promise<ViewParts> {
  const world = await services.worlds.get(agent).catch(() => undefined);
  return { agent: world?.agent };
}

/** Begins and counts how that went. */
export async function beginCounted(
  { services, metrics }: RouteDeps,
  actor: Actor,
  input: { id: string; executionId: string; round?: number },
): Promise<Begun> {
  try {
    const begun = await beginAction(services, actor, input);
    metrics.begun.inc({ result: 'begun' });
    return begun;
  } catch (error) {
    metrics.begun.inc({ result: error instanceof AppError ? error.code : 'error' });
    throw error;
  }
}

/** What a begin adds to the action's view. */
export function begunPart({ credential, startBy, args }: Begun) {
  return {
    ...(args && { args }),
    startBy: startBy.toISOString(),
    credential: credential && {
      ...credential,
      scopes: [...credential.scopes],
      expiresAt: credential.expiresAt.toISOString(),
    },
  };
}
