import { cardVersion } from '../src/cards/card-facts.ts';
import { type ActionState, isFinal } from '../src/domain/action.ts';
import { escalationsDue } from '../src/domain/approval/reach.ts';
import { deliver, type FollowDeps } from '../src/reaching/deliver.ts';
import { foundOf } from '../src/reaching/delivery.ts';
import { escalateDue } from '../src/reaching/escalate.ts';
import { followAnswered } from '../src/reaching/follow-answered.ts';
import { presenceBy } from '../src/reaching/presence.ts';
import { type Reachable, reachStage } from '../src/reaching/reachable.ts';
import { recordReach } from '../src/reaching/record-reach.ts';
import { refresh } from '../src/reaching/refresh.ts';
import { remindDue } from '../src/reaching/remind.ts';
import { openedAt, toldOf } from '../src/reaching/told.ts';
import { type ActionRow, actionById } from '../src/records/action.ts';
import { carryOver } from '../src/records/copy.ts';
import { asActivityFailure } from './failures.ts';

/** Where an action is, for whoever waits with it. Nothing of what it would do. */
export interface Followed {
  state: ActionState;
  /** Nothing follows by itself; a late report or a correction is a new beginning. */
  final: boolean;
  /** Look again after so many milliseconds, unless it changes before. */
  waitMs: number;
}

/** The record ends by its own deadlines; until it has, it is read again this often. */
const OVERDUE_REREAD_MS = 5_000;
/** Nothing is due: look all the same, because people come and go. */
const IDLE_REREAD_MS = 15 * 60_000;

/** What the workflow of one action does. */
export const createFollowActivities = (deps: FollowDeps) => ({
  /**
   * Does whatever is due by the record of an action: passes the question on, brings it to people, reminds them, keeps
   * every copy of its card true. Any number of times, in any number of workers, the same.
   */
  async followAction(actionId: string): Promise<Followed> {
    try {
      const action = await actionById(deps.services.db.sql, actionId);
      const nextMs =
        action.state === 'pending' ? await follow(deps, action) : await followAnswered(deps, action);
      return viewOf(deps, await actionById(deps.services.db.sql, actionId), nextMs);
    } catch (error) {
      throw asActivityFailure(error);
    }
  },
});
export type FollowActivities = ReturnType<typeof createFollowActivities>;

/** Answers when something is due next, in epoch milliseconds. */
async function follow(deps: FollowDeps, read: ActionRow): Promise<number | undefined> {
  const { services } = deps;
  const now = services.clock.now();
  if (read.expires_at && read.expires_at <= now) return undefined;
  const told = await toldOf(services.db.sql, read);
  const escalated = await escalateDue(services, read);
  const reachable = await reachStage(services, escalated, told.length > 0, presenceBy(deps.slack));
  if (hasMoved(reachable.action, read)) return now.getTime();
  const refreshMs = await refresh(deps, reachable.action);
  const version = await cardVersion(services.db.sql, read.id);
  const outcome = await deliver(deps, reachable, told);
  const found = foundOf(reachable.action, reachable, outcome, now);
  const recorded = await recordReach(services, reachable.action, found);
  const reminded = await remindDue(deps, reachable, recorded, outcome);
  const rest = await settle(deps, version, reachable.action, reminded.action);
  return earliest([
    read.expires_at?.getTime(),
    refreshMs,
    rest,
    outcome.next?.getTime(),
    reminded.nextMs,
    escalationsDue(reachable.action, openedAt(reachable.action).getTime(), now.getTime(), services.dayMs)
      .nextAtMs,
    ...openings(reachable),
  ]);
}

/** Somebody else changed what is followed: everything is looked at anew. */
const hasMoved = (now: ActionRow, read: ActionRow): boolean =>
  now.state !== 'pending' || now.round !== read.round || now.stage !== read.stage;

const openings = ({ now, candidates }: Reachable): (number | undefined)[] =>
  now === 'enough' ? [] : candidates.map(({ opensAtMs }) => opensAtMs);

/**
 * That people were reached, which this pass itself wrote, says nothing new to cards that were posted in it, and none is
 * changed for it. Whatever else happened meanwhile is shown.
 */
async function settle(
  deps: FollowDeps,
  version: number,
  before: ActionRow,
  after: ActionRow,
): Promise<number | undefined> {
  if (!deps.slack || after.card_version === version) return undefined;
  const own = toldText(before) === toldText(after) ? 0 : 1;
  if (after.card_version !== version + own || isShownAnew(before, after)) return refresh(deps, after);
  await carryOver(deps.services.db.sql, after.id, version, after.card_version);
  return undefined;
}

/** Whether cards that are there say of the reach what is true no more. */
function isShownAnew({ reach: before }: ActionRow, { reach: after }: ActionRow): boolean {
  if (JSON.stringify(before) === JSON.stringify(after)) return false;
  const isFirst = before?.state !== 'delivered' && before?.state !== 'unreached';
  return !(isFirst && after?.state === 'delivered' && after.problem === undefined);
}

const toldText = ({ reach }: ActionRow): string =>
  JSON.stringify([reach?.state, reach?.people, reach?.problem]);

const earliest = (times: readonly (number | null | undefined)[]): number | undefined => {
  const known = times.filter((at): at is number => at != null);
  return known.length > 0 ? Math.min(...known) : undefined;
};

function viewOf({ services }: FollowDeps, action: ActionRow, nextMs: number | undefined): Followed {
  const { state, expires_at, deadline_at } = action;
  const nowMs = services.clock.now().getTime();
  const isEnded = isFinal(state) || state === 'unknown';
  const ends = state === 'executing' ? deadline_at : isEnded ? null : expires_at;
  const endsMs = ends && (ends.getTime() <= nowMs ? nowMs + OVERDUE_REREAD_MS : ends.getTime());
  const next = earliest([nextMs, endsMs]) ?? nowMs + IDLE_REREAD_MS;
  return {
    state,
    final: isEnded && nextMs === undefined,
    waitMs: Math.min(IDLE_REREAD_MS, Math.max(0, Math.ceil(next - nowMs))),
  };
}
