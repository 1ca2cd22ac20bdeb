import { z } from 'zod';
import type { Actor } from '../../actor.ts';
import { SCOPE_FORMS, SCOPE_PATTERN } from '../../domain/scope.ts';
import type { DisableAnswer } from '../../records/stop.ts';
import { disable } from '../../switches/disable.ts';
import { waitDrained } from '../../switches/drain.ts';
import { enable } from '../../switches/enable.ts';
import { listDisabled } from '../../switches/list.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { instantSchema, reasonSchema } from '../schemas.ts';

const DRAIN_MS_MAX = 90_000;

const inFlightSchema = z.object({
  action: z.string(),
  agent: z.string(),
  tool: z.string(),
  summary: z.string(),
  begunAt: instantSchema,
});

export const disabledSchema = z
  .object({
    scope: z.string(),
    state: z
      .enum(['closed', 'closing'])
      .describe('closed: no write begins. closing: none but those of heldBy'),
    epoch: z.number().int().optional(),
    offAtMs: z.number(),
    voided: z
      .number()
      .int()
      .optional()
      .describe('Pending and approved actions that were ended; absent while that still goes on'),
    inFlight: z.array(inFlightSchema).describe('Begun before; they may still land'),
    heldBy: z.array(z.object({ pid: z.number().int(), what: z.string() })),
    credentialsUntil: instantSchema.optional(),
    failoverSafe: z.boolean(),
    drained: z.boolean().optional().describe('With wait: whether all that had begun is over'),
    stillInFlight: z.array(inFlightSchema).optional(),
  })
  .meta({ id: 'Disabled' });

const enabledSchema = z
  .object({
    scope: z.string(),
    status: z.enum(['enabled', 'already_enabled', 'second_person_needed']),
    epoch: z.number().int().optional(),
    askedBy: z.string().optional(),
  })
  .meta({ id: 'Enabled' });

/** The same on both listeners that drop the gate. */
export const scopeParams = z.object({
  '*': z.string().regex(SCOPE_PATTERN, `write ${SCOPE_FORMS}`).max(200),
});
export const setSwitchBody = z.strictObject({
  disabled: z.boolean(),
  reason: reasonSchema,
  reads: z.boolean().default(false).describe('Stops reads too'),
  wait: z.literal('drained').optional().describe('Wait until all that had begun is over'),
});

/** The emergency disable. */
export function switchRoutes(app: Api, deps: RouteDeps): void {
  const { services } = deps;
  app.get(
    '/v1/switches',
    {
      schema: {
        operationId: 'listSwitches',
        tags: ['switches'],
        summary: 'What is switched off; for a token of one agent, what covers it',
        response: {
          200: z.object({
            switches: z.array(
              z.object({
                scope: z.string(),
                reads: z.boolean(),
                reason: z.string(),
                actor: z.string(),
                changedAt: instantSchema,
                epoch: z.number().int(),
                enableAskedBy: z.string().optional(),
                later: z
                  .array(
                    z.object({
                      actor: z.string(),
                      reason: z.string(),
                      at: instantSchema,
                      reads: z.boolean(),
                    }),
                  )
                  .describe('Who stopped it again since, with what was said; the rest is of the first stop'),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const rows = await listDisabled(services.db.sql, agentScope(actorOf(request), undefined));
      return {
        switches: rows.map((row) => ({
          scope: row.scope,
          reads: row.reads,
          reason: row.reason,
          actor: row.actor,
          changedAt: row.changed_at.toISOString(),
          epoch: row.epoch,
          enableAskedBy: row.enable_asked_by ?? undefined,
          later: row.later.map(({ at, ...stop }) => ({ ...stop, at: at.toISOString() })),
        })),
      };
    },
  );
  setRoute(app, deps);
}

function setRoute(app: Api, deps: RouteDeps): void {
  app.put(
    '/v1/switches/*',
    {
      schema: {
        operationId: 'setSwitch',
        tags: ['switches'],
        summary: 'Disable or enable a scope',
        description:
          'Scope: everything, agent/{agent} or tool/{agent}/{tool}. 200: closed, or enabled. 202: closing, or a second person is needed to enable everything. The switch has a process and a listener of its own (see switchUrl of /readyz): ask it first to disable, with the same path, body and token, and this one if it does not answer.',
        params: scopeParams,
        body: setSwitchBody,
        response: {
          200: z.union([disabledSchema, enabledSchema]),
          202: z.union([disabledSchema, enabledSchema]),
        },
      },
    },
    async (request, reply) => {
      const { disabled, wait, ...input } = { ...request.body, scope: request.params['*'] };
      const actor = actorOf(request);
      if (disabled) {
        const answer = await disableCounted(deps, actor, input);
        reply.code(answer.state === 'closed' ? 200 : 202);
        return wait ? { ...answer, ...(await drain(deps, answer)) } : answer;
      }
      const answer = await enable(deps.services, actor, input);
      reply.code(answer.status === 'second_person_needed' ? 202 : 200);
      return { ...answer, scope: input.scope };
    },
  );
}

async function disableCounted(
  { services, metrics }: RouteDeps,
  actor: Actor,
  input: { scope: string; reason: string; reads: boolean },
): Promise<DisableAnswer> {
  const answer = await disable(services, actor, input);
  metrics.stops.observe({ state: answer.state }, answer.offAtMs / 1_000);
  return answer;
}

async function drain({ services }: RouteDeps, { state, inFlight }: DisableAnswer) {
  if (state !== 'closed') return { drained: false };
  const stillInFlight = await waitDrained(services, inFlight, DRAIN_MS_MAX);
  return { drained: stillInFlight.length === 0, stillInFlight };
}
