import { type Selectable, sql } from 'kysely';
import { alertCard } from '../src/cards/alert-card.ts';
import { alertById, readAlertFacts } from '../src/cards/alert-facts.ts';
import { pagedEvent } from '../src/cards/page-on-call.ts';
import { SlackFailure } from '../src/cards/posting/failure.ts';
import type { SlackPort } from '../src/cards/posting/port.ts';
import { postAtOnce } from '../src/cards/posting/post-once.ts';
import { isForGood } from '../src/cards/posting/turns.ts';
import type { AlertTable } from '../src/db/tables.ts';
import { type Agent, onCallOf, slackUserOf } from '../src/domain/agent.ts';
import { digestOf } from '../src/domain/digest.ts';
import { settleAlert } from '../src/records/alert.ts';
import { copiesOf } from '../src/records/copy.ts';
import type { Services } from '../src/services.ts';
import { Breaker } from './breaker.ts';
import { asActivityFailure } from './failures.ts';
import { post, webhookHeaders } from './webhook.ts';

export interface AlertActivityDeps {
  services: Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs' | 'log'>;
  slack?: SlackPort;
  /** Signs webhooks (Standard Webhooks, `whsec_…` or plain text); without it none is sent. */
  webhookSecret?: string;
  /** Pages on-call by PagerDuty's Events API v2; without it nobody is. */
  pager?: Pager;
  /** How many to one address are under way at once in this process. */
  atOnce?: number;
}

type Deps = AlertActivityDeps & { breaker: Breaker };

const AT_ONCE = 10;

/** What became of an alert, in words: `posted`, `told directly` (its channel is gone for good), `no channel`, `no Slack tokens`; `sent`, `no url`, `no secret`, `no routing key`, `not paged`. */
export interface AlertDelivery {
  slack: string;
  webhook: string;
  pager: string;
}

/** A service of PagerDuty, by its integration key. */
export interface Pager {
  routingKey: string;
  url?: string;
}

const PAGER_URL = 'https://events.pagerduty.com/v2/enqueue';
const PAGED = 'pagerduty';

/** Brings alerts to people and systems; a webhook that hangs holds up itself alone. */
export const createAlertActivities = (
  deps: AlertActivityDeps,
  breaker = new Breaker(deps.services.clock, deps.atOnce ?? AT_ONCE),
) => ({
  /** To each channel and each webhook once; what failed is tried again without repeating what arrived. */
  async deliverAlert(alertId: string): Promise<AlertDelivery> {
    const alert = await alertById(deps.services, alertId).catch((error: unknown) => {
      throw asActivityFailure(error);
    });
    const agents = await agentsOf(deps, alert.agent);
    const [slack, webhook, pager] = await Promise.allSettled([
      toSlack(deps, alertId, agents),
      toWebhooks({ ...deps, breaker }, alertId, agents),
      toPager({ ...deps, breaker }, alertId),
    ]);
    if (slack.status === 'rejected') throw asActivityFailure(slack.reason);
    if (webhook.status === 'rejected') throw webhook.reason;
    if (pager.status === 'rejected') throw pager.reason;
    await settleAlert(deps.services.db.sql, alertId, deps.services.clock.now());
    return { slack: slack.value, webhook: webhook.value, pager: pager.value };
  },
});
export type AlertActivities = ReturnType<typeof createAlertActivities>;

/** An alert about everything concerns every agent. */
async function agentsOf({ services }: AlertActivityDeps, agent: string | null): Promise<Agent[]> {
  let query = services.db.sql.selectFrom('agent').select('manifest').orderBy('name');
  if (agent !== null) query = query.where('name', '=', agent);
  return (await query.execute()).map(({ manifest }) => manifest);
}

async function toSlack(
  { services, slack }: AlertActivityDeps,
  alertId: string,
  agents: readonly Agent[],
): Promise<string> {
  if (!slack) return 'no Slack tokens';
  const channels = distinct(agents.map((agent) => agent.slack.alerts ?? agent.slack.channel));
  if (channels.length === 0) return 'no channel';
  const message = alertCard(await readAlertFacts(services, alertId));
  let failure: unknown;
  let directly = false;
  for (const channel of channels) {
    const ref = `${alertId}@${channel}`;
    try {
      await postAtOnce(services, slack, { ref, channel, message: async () => ({ message, version: 1 }) });
    } catch (error) {
      const gone = error instanceof SlackFailure && isForGood(error.code);
      const lost = agents.filter((agent) => (agent.slack.alerts ?? agent.slack.channel) === channel);
      if (gone && (await tellOnCall(services, slack, alertId, lost, message))) directly = true;
      else failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return directly ? 'told directly' : 'posted';
}

/** The channel of an alert can be what broke: then on-call gets it in person. False: nobody of them could be told. */
async function tellOnCall(
  services: AlertActivityDeps['services'],
  slack: SlackPort,
  alertId: string,
  agents: readonly Agent[],
  message: ReturnType<typeof alertCard>,
): Promise<boolean> {
  const users = distinct(
    agents.flatMap((agent) => onCallOf(agent).map((person) => slackUserOf(agent, person))),
  );
  let told = false;
  for (const user of users) {
    const ref = `${alertId}@${user}`;
    if ((await copiesOf(services.db.sql, ref)).length > 0) {
      told = true;
      continue;
    }
    try {
      const channel = await slack.dm(user);
      await postAtOnce(services, slack, { ref, channel, message: async () => ({ message, version: 1 }) });
      told = true;
    } catch (error) {
      services.log.warn({ err: error, alert: alertId, user }, 'on-call could not be told directly');
    }
  }
  return told;
}

async function toWebhooks(deps: Deps, alertId: string, agents: readonly Agent[]): Promise<string> {
  const { services, webhookSecret, breaker } = deps;
  const urls = distinct(agents.map((agent) => agent.webhook?.url));
  if (urls.length === 0) return 'no url';
  if (!webhookSecret) return 'no secret';
  const alert = await alertById(services, alertId);
  if (alert.webhook_at) return 'sent';
  const now = services.clock.now();
  const body = JSON.stringify({
    type: alert.kind,
    timestamp: alert.created_at.toISOString(),
    data: { id: alert.id, agent: alert.agent, ...alert.facts },
  });
  const headers = webhookHeaders(webhookSecret, alert.id, now, body);
  const left = urls.filter((url) => !alert.webhooks_taken.includes(digestOf(url)));
  const answers = await Promise.allSettled(
    left.map(async (url) => {
      await breaker.run(url, () => post(url, headers, body));
      await noteTaken(services, alertId, digestOf(url));
    }),
  );
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (refused) throw refused.reason;
  await services.db.sql.updateTable('alert').set({ webhook_at: now }).where('id', '=', alertId).execute();
  return 'sent';
}

/** Once for each alert, and the same event however often it is tried. */
async function toPager({ services, pager, breaker }: Deps, alertId: string): Promise<string> {
  if (!pager) return 'no routing key';
  const event = pagedEvent(await readAlertFacts(services, alertId));
  if (!event) return 'not paged';
  const alert = await alertById(services, alertId);
  if (alert.webhooks_taken.includes(PAGED)) return 'sent';
  if (await isResolved(services, alert)) return 'enabled again';
  const body = JSON.stringify({ routing_key: pager.routingKey, ...event });
  const url = pager.url ?? PAGER_URL;
  await breaker.run(url, () => post(url, { 'content-type': 'application/json' }, body));
  await noteTaken(services, alertId, PAGED);
  return 'sent';
}

/** Whether what a switch that was disabled would trigger was resolved before: tried again it would wake people for nothing. */
async function isResolved(
  { db }: Deps['services'],
  { kind, facts, created_at }: Pick<Selectable<AlertTable>, 'kind' | 'facts' | 'created_at'>,
): Promise<boolean> {
  if (kind !== 'switch.disabled') return false;
  const resolved = await db.sql
    .selectFrom('alert')
    .select('id')
    .where('kind', '=', 'switch.enabled')
    .where('created_at', '>=', created_at)
    .where(sql<boolean>`facts ->> 'scope' = ${String(facts.scope)}`)
    .where(sql<boolean>`${PAGED} = ANY (webhooks_taken)`)
    .executeTakeFirst();
  return resolved !== undefined;
}

/** Who took it is not told again, whatever fails elsewhere. */
async function noteTaken({ db }: Deps['services'], alertId: string, by: string): Promise<void> {
  await db.sql
    .updateTable('alert')
    .set({ webhooks_taken: sql`array_append(webhooks_taken, ${by})` })
    .where('id', '=', alertId)
    .execute();
}

const distinct = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];
