import { digestOf, digestsBehind } from '../cards/digest-copies.ts';
import { forgetPostsOf, isForGood } from '../cards/posting/turns.ts';
import type { ActionRow } from '../records/action.ts';
import { copiesOf } from '../records/copy.ts';
import { manifestOf } from '../records/manifest.ts';
import { type FollowDeps, postCard } from './deliver.ts';
import { refresh, sinceChangeMs } from './refresh.ts';

/** Copies that Slack refuses to change are given up after this. */
const GIVEN_UP_MS = 3 * 86_400_000;

/**
 * Shows what became of an action that no longer waits: on every copy of its card and in its digest. What nobody knows
 * the end of gets a card, if it had none. Answers when to look again, in epoch milliseconds, if Slack did not take it.
 */
export async function followAnswered(deps: FollowDeps, action: ActionRow): Promise<number | undefined> {
  const { services } = deps;
  const nowMs = services.clock.now().getTime();
  if (action.state !== 'unknown') await forgetPostsOf(services.db.sql, action.id);
  const shownMs = await showUnknown(deps, action);
  const refreshedMs = await refresh(deps, action);
  if (await isListed(deps, action))
    await services.db.sql
      .insertInto('outbox')
      .values({ topic: 'digest', key: action.agent, payload: '{}' })
      .execute();
  if (sinceChangeMs(action, nowMs) > GIVEN_UP_MS) return undefined;
  const again = [shownMs, refreshedMs].filter((at) => at !== undefined);
  return again.length > 0 ? Math.min(...again) : undefined;
}

/** Whether a digest message still says that it waits. */
const isListed = async ({ services }: FollowDeps, { id, agent }: ActionRow): Promise<boolean> =>
  (await digestOf(services.db.sql, id)) !== undefined && (await digestsBehind(services, agent)).length > 0;

async function showUnknown({ services, slack }: FollowDeps, action: ActionRow): Promise<number | undefined> {
  const { id, state, kind } = action;
  if (!slack || state !== 'unknown' || kind !== 'write') return undefined;
  if ((await copiesOf(services.db.sql, id)).length > 0) return undefined;
  const { slack: places } = await manifestOf(services.db.sql, action.agent);
  if (places.channel === undefined) return undefined;
  const isUnknown = (facts: { action: ActionRow }) => facts.action.state === 'unknown';
  const posting = await postCard({ services, slack }, id, places.channel, isUnknown);
  // What people must mend is not waited for: on-call is told by an alert anyway.
  if (posting.state !== 'waiting' || isForGood(posting.problem ?? 'not_reached')) return undefined;
  return posting.at.getTime();
}
