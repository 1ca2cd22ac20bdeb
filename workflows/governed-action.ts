import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyLocalActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActionView, CardActivities } from '../activities/cards.ts';
import type { FollowActivities } from '../activities/follow.ts';
import { changed, type GovernedActionInput, type GovernedActionResult } from './governed-action.contract.ts';
import { Patch } from './patches.ts';

/** The record ends by its own deadlines; until it has, it is read again this often. */
const OVERDUE_REREAD_MS = 5_000;
/** Nothing is due: look all the same, in case nobody told. */
const IDLE_REREAD_MS = 15 * 60_000;
/** However soon something is due, the server's clock and the store's may differ by this. */
const WAIT_MIN_MS = 100;

const { followAction, syncActionCards, remindAction } = proxyLocalActivities<
  FollowActivities & CardActivities
>({
  startToCloseTimeout: '30s',
  localRetryThreshold: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, governedAction);

/** Waits with one action. It holds no truth of its own: each time, whatever is due by the record is done. */
export async function governedAction(input: GovernedActionInput): Promise<GovernedActionResult> {
  const changes = { told: 0 };
  setHandler(changed, () => {
    changes.told += 1;
  });
  return patched(Patch.FollowRecord)
    ? followRecord(input.actionId, changes)
    : remindOnce(input.actionId, input.reminded ?? false, changes);
}

async function followRecord(actionId: string, changes: { told: number }): Promise<GovernedActionResult> {
  for (;;) {
    const seen = changes.told;
    const { state, final, waitMs } = await followAction(actionId);
    if (changes.told !== seen) continue;
    if (final) {
      await condition(allHandlersFinished);
      return state;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof governedAction>({ actionId });
    }
    await condition(() => changes.told !== seen, Math.max(WAIT_MIN_MS, waitMs));
  }
}

/** As it was before `Patch.FollowRecord`: cards, one reminder, deadlines. */
async function remindOnce(
  actionId: string,
  wasReminded: boolean,
  changes: { told: number },
): Promise<GovernedActionResult> {
  let reminded = wasReminded;
  for (;;) {
    const seen = changes.told;
    const view = await syncActionCards(actionId);
    if (isReminderDue(view, reminded)) {
      await remindAction(actionId);
      reminded = true;
    }
    if (changes.told !== seen) continue;
    if (view.final) {
      await condition(allHandlersFinished);
      return view.state;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof governedAction>({ actionId, reminded });
    }
    await condition(() => changes.told !== seen, oldWaitMs(view, reminded));
  }
}

const isReminderDue = (view: ActionView, reminded: boolean): boolean =>
  !reminded &&
  view.wanted &&
  view.state === 'pending' &&
  view.remindAtMs !== null &&
  view.remindAtMs <= Date.now();

/** Until the next of reminder, expiry and deadline. */
function oldWaitMs(view: ActionView, reminded: boolean): number {
  const ends = view.state === 'executing' ? view.deadlineAtMs : view.expiresAtMs;
  const reminder = view.state === 'pending' && view.wanted && !reminded ? view.remindAtMs : null;
  const due = [ends, reminder].filter((at) => at !== null).map((at) => at - Date.now());
  if (due.length === 0) return IDLE_REREAD_MS;
  return Math.max(OVERDUE_REREAD_MS, Math.min(...due));
}
