import { readCardFacts } from '../cards/card-facts.ts';
import { digestOf } from '../cards/digest-copies.ts';
import type { SlackPort } from '../cards/posting/port.ts';
import { type Posting, postOnce } from '../cards/posting/post-once.ts';
import { isForGood } from '../cards/posting/turns.ts';
import { reminderMessage } from '../cards/reminder.ts';
import type { Agent } from '../domain/agent.ts';
import type { ActionRow } from '../records/action.ts';
import { type Copy, isDirect, liveCopies } from '../records/copy.ts';
import type { FollowDeps } from './deliver.ts';
import type { Outcome } from './delivery.ts';
import { looksInSlack } from './presence.ts';
import type { Reachable } from './reachable.ts';
import { countReminder, reminderDueMs } from './reminders.ts';

/**
 * Reminds those who were told, can be reached now and have not answered: in the card's thread, and directly where the
 * card went directly. Answers the row as it is now and when to look again.
 */
export async function remindDue(
  { services, slack }: FollowDeps,
  { agent, reachable }: Reachable,
  action: ActionRow,
  { told }: Outcome,
): Promise<{ action: ActionRow; nextMs: number | undefined }> {
  const dueMs = reminderDueMs(action);
  const nowMs = services.clock.now().getTime();
  if (dueMs === undefined || dueMs > nowMs) return { action, nextMs: dueMs };
  const people = reachable.map(({ person }) => person).filter((person) => Object.hasOwn(told, person));
  if (people.length === 0 || !looksInSlack(slack, agent)) return { action, nextMs: undefined };
  const places = await placesOf({ services, slack }, action.id);
  const postings = await Promise.all(
    places.map((place) => remindAt({ services, slack }, agent, action, people, place)),
  );
  const waiting = postings.flatMap((posting) => (posting.state === 'waiting' ? [posting] : []));
  const open = waiting.filter(({ problem }) => problem === undefined || !isForGood(problem));
  const isPosted = postings.some(({ state }) => state === 'posted');
  const still = isPosted ? open : waiting;
  if (still.length > 0) return { action, nextMs: Math.min(...still.map(({ at }) => at.getTime())) };
  if (!isPosted) return { action, nextMs: undefined };
  const counted = await countReminder(services, action, people);
  return { action: counted, nextMs: reminderDueMs(counted) };
}

type Place = Copy & { thread: boolean };

/** Where people see the card: reminders go into its thread, in direct conversations beside it, where they are noticed. */
async function placesOf({ services }: FollowDeps, id: string): Promise<Place[]> {
  const { sql } = services.db;
  const copies = await liveCopies(sql, id);
  const digest = copies.length === 0 ? await digestOf(sql, id) : undefined;
  return [...copies, ...(digest ? [{ channel: digest.channel, ts: digest.ts }] : [])].map((copy) => ({
    ...copy,
    thread: !isDirect(copy),
  }));
}

const remindAt = (
  { services, slack }: FollowDeps & { slack: SlackPort },
  agent: Agent,
  { id, reminders }: ActionRow,
  people: readonly string[],
  { channel, ts, thread }: Place,
): Promise<Posting> =>
  postOnce(services, slack, {
    ref: `${id}/reminder/${reminders + 1}`,
    channel,
    ...(thread ? { under: { channel, ts } } : {}),
    async message() {
      const facts = await readCardFacts(services, id);
      if (facts.action.state !== 'pending') return undefined;
      return { message: reminderMessage(facts, agent, people), version: facts.action.card_version };
    },
  });
