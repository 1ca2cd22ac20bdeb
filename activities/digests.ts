import type { SlackMessage } from '../src/cards/blocks/message.ts';
import { digestCard } from '../src/cards/digest-card.ts';
import { digestOf, digestsBehind, keepListed, listedIn, showedListed } from '../src/cards/digest-copies.ts';
import { SlackFailure } from '../src/cards/posting/failure.ts';
import type { SlackPort } from '../src/cards/posting/port.ts';
import { postOnce } from '../src/cards/posting/post-once.ts';
import { isForGood } from '../src/cards/posting/turns.ts';
import type { Agent } from '../src/domain/agent.ts';
import type { FollowDeps } from '../src/reaching/deliver.ts';
import { TOLD_WITHIN_MS } from '../src/reaching/delivery.ts';
import { digestSlot, waitingForDigest } from '../src/reaching/digest.ts';
import { recordReach } from '../src/reaching/record-reach.ts';
import { openedAt } from '../src/reaching/told.ts';
import type { ActionRow } from '../src/records/action.ts';
import type { Copy } from '../src/records/copy.ts';
import { manifestOf } from '../src/records/manifest.ts';
import { asActivityFailure } from './failures.ts';

/** Where the digests of an agent are. */
export interface Digested {
  /** Nothing waits to be told or shown; whoever joins begins anew. */
  final: boolean;
  /** Look again after so many milliseconds, unless something joins before. */
  waitMs: number;
}

const RETRY_MS = 5_000;
const MENDED_BY_PEOPLE_MS = 60_000;

type SlackDeps = FollowDeps & { slack: SlackPort };

/** What the workflow of an agent's digests does. */
export const createDigestActivities = ({ services, slack }: FollowDeps) => ({
  /** Posts the digest that is due and brings the earlier ones up to the record. Any number of times the same. */
  async sendDigest(agent: string): Promise<Digested> {
    if (!slack) return { final: true, waitMs: 0 };
    try {
      const manifest = await manifestOf(services.db.sql, agent);
      const postedMs = await postDue({ services, slack }, manifest);
      const shownMs = await showAnswered({ services, slack }, agent);
      const next = [postedMs, shownMs].filter((at) => at !== undefined);
      const waitMs = Math.max(0, Math.min(...next) - services.clock.now().getTime());
      return { final: next.length === 0, waitMs: next.length === 0 ? 0 : waitMs };
    } catch (error) {
      throw asActivityFailure(error);
    }
  },
});
export type DigestActivities = ReturnType<typeof createDigestActivities>;

/** Answers when the next digest is due or tried again, in epoch milliseconds. */
async function postDue(deps: SlackDeps, agent: Agent): Promise<number | undefined> {
  const { services } = deps;
  const { channel } = agent.slack;
  const untold = await untoldOf(deps, agent);
  if (channel === undefined || untold.length === 0) return undefined;
  const nowMs = services.clock.now().getTime();
  const dueMs = Math.min(...untold.map(({ reach }) => Date.parse(reach?.postAt ?? '') || nowMs));
  if (dueMs > nowMs) return dueMs;
  const posting = await postDigest(deps, agent, channel);
  if (posting.state !== 'waiting') return undefined;
  const { problem, at } = posting;
  const isLate = nowMs - dueMs > TOLD_WITHIN_MS;
  if (problem === undefined || !(isForGood(problem) || isLate)) return at.getTime();
  for (const action of untold) await tellAlone(deps, action, `Slack answered ${problem} for the digest`);
  return undefined;
}

/** What waits, and no digest that is still there tells of it. */
async function untoldOf({ services }: FollowDeps, agent: Agent): Promise<ActionRow[]> {
  const untold: ActionRow[] = [];
  for (const action of await waitingForDigest(services.db.sql, agent)) {
    const digest = await digestOf(services.db.sql, action.id);
    if (!digest || digest.listed_at < openedAt(action)) untold.push(action);
  }
  return untold;
}

async function postDigest(deps: SlackDeps, agent: Agent, channel: string) {
  const { services, slack } = deps;
  const slot = digestSlot(services.clock.now());
  let listed: ActionRow[] | undefined;
  const posting = await postOnce(services, slack, {
    ref: `digest/${agent.agent}/${slot}`,
    channel,
    async message() {
      listed = await waitingForDigest(services.db.sql, agent);
      if (listed.length === 0) return undefined;
      return { message: cardOf(deps, agent.agent, listed), version: listed.length };
    },
  });
  if (posting.state !== 'posted') return posting;
  const speaksOf = listed ?? (await waitingForDigest(services.db.sql, agent));
  await keepListed(services, posting.copy, speaksOf);
  // Posted by whoever died then, or earlier in this quarter of an hour: it says less than it lists now.
  if (!listed) await show(deps, agent.agent, posting.copy);
  await wake(deps, speaksOf);
  return posting;
}

/** Their own workflows see that they are told. */
async function wake({ services }: FollowDeps, told: readonly ActionRow[]): Promise<void> {
  if (told.length === 0) return;
  const entries = told.map(({ id }) => ({ topic: 'action' as const, key: id, payload: '{}' }));
  await services.db.sql.insertInto('outbox').values(entries).execute();
}

async function tellAlone(deps: FollowDeps, action: ActionRow, problem: string): Promise<void> {
  await recordReach(deps.services, action, { state: 'undelivered', told: {}, problem });
  await wake(deps, [action]);
}

/** Brings digests that list what no longer waits up to the record. Answers when to try again if Slack refuses. */
async function showAnswered(deps: SlackDeps, agent: string): Promise<number | undefined> {
  try {
    for (const copy of await digestsBehind(deps.services, agent)) await show(deps, agent, copy);
    return undefined;
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    const ownMs = isForGood(error.code) ? MENDED_BY_PEOPLE_MS : RETRY_MS;
    return deps.services.clock.now().getTime() + (error.retryAfterMs ?? ownMs);
  }
}

async function show(deps: SlackDeps, agent: string, copy: Copy): Promise<void> {
  const listed = await listedIn(deps.services.db.sql, copy);
  const shown = await deps.slack.update(copy, cardOf(deps, agent, listed));
  await showedListed(deps.services.db.sql, copy, shown ? listed : undefined);
}

function cardOf({ services }: FollowDeps, agent: string, listed: readonly ActionRow[]): SlackMessage {
  const waiting = listed.filter(({ state }) => state === 'pending');
  const answered = listed.length - waiting.length;
  const { publicUrl, clock } = services;
  return digestCard({ agent, waiting, answered, publicUrl, now: clock.now() });
}
