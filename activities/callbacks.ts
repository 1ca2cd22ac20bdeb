import { outcomeOf } from '../src/domain/action.ts';
import { actionUrl } from '../src/links.ts';
import { type ActionRow, actionById } from '../src/records/action.ts';
import { settleCallback } from '../src/records/reconciliation.ts';
import type { ActionCallback } from '../src/sdk/webhook.ts';
import type { Services } from '../src/services.ts';
import type { AgentCallbackInput } from '../workflows/agent-callback.contract.ts';
import { Breaker } from './breaker.ts';
import { asActivityFailure } from './failures.ts';
import { post, webhookHeaders } from './webhook.ts';

export interface CallbackActivityDeps {
  services: Pick<Services, 'db' | 'clock' | 'publicUrl'>;
  /** Signs callbacks (Standard Webhooks, `whsec_…` or plain text); without it none is sent. */
  webhookSecret?: string;
  /** How many of one agent are under way at once in this process. */
  atOnce?: number;
}

const AT_ONCE = 10;

/** What became of a callback, in words. */
export type CallbackDelivery = 'sent' | 'no url' | 'no secret';

/** Tells agents what became of their writes; one whose server hangs holds up its own alone. */
export const createCallbackActivities = (
  { services, webhookSecret, atOnce = AT_ONCE }: CallbackActivityDeps,
  breaker = new Breaker(services.clock, atOnce),
) => ({
  /** Posts the change to the address that the agent's manifest names now. Rejects until it is taken. */
  async deliverCallback(input: AgentCallbackInput): Promise<CallbackDelivery> {
    const action = await actionById(services.db.sql, input.actionId).catch((error: unknown) => {
      throw asActivityFailure(error);
    });
    const delivery = await send({ services, webhookSecret, breaker }, action, input);
    await settleCallback(services.db.sql, `${action.id}/${input.revision}`);
    return delivery;
  },
});
export type CallbackActivities = ReturnType<typeof createCallbackActivities>;

async function send(
  { services, webhookSecret, breaker }: CallbackActivityDeps & { breaker: Breaker },
  action: ActionRow,
  input: AgentCallbackInput,
): Promise<CallbackDelivery> {
  const url = await callbackUrl(services, action.agent);
  if (!url) return 'no url';
  if (!webhookSecret) return 'no secret';
  const { state, at, revision } = input;
  const data = callbackOf(services.publicUrl, action, input);
  const body = JSON.stringify({ type: `action.${state}`, timestamp: at, data });
  const id = `${action.id}/${revision}`;
  const headers = webhookHeaders(webhookSecret, id, services.clock.now(), body);
  await breaker.run(`${action.agent} ${url}`, () => post(url, headers, body));
  return 'sent';
}

async function callbackUrl({ db }: Pick<Services, 'db'>, agent: string): Promise<string | undefined> {
  const row = await db.sql
    .selectFrom('agent')
    .select('manifest')
    .where('name', '=', agent)
    .executeTakeFirst();
  return row?.manifest.callback?.url;
}

/**
 * The action as it was at that revision. Who decided and why not is said once and stays; what superseded an approval
 * was not known yet when it was given.
 */
function callbackOf(
  publicUrl: string,
  action: ActionRow,
  { state, revision }: AgentCallbackInput,
): ActionCallback {
  const { id, agent, decided_by, superseded_because, deny_reason } = action;
  return {
    id,
    agent,
    state,
    outcome: outcomeOf({ state }),
    ...(decided_by ? { decidedBy: decided_by } : {}),
    ...(state === 'superseded' && superseded_because ? { supersededBecause: superseded_because } : {}),
    ...(deny_reason ? { denyReason: deny_reason } : {}),
    revision,
    url: actionUrl(publicUrl, id),
  };
}
