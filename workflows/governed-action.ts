import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyLocalActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { ActionView, CardActivities } from '../activities/cards.ts';
import { changed, type GovernedActionInput, type GovernedActionResult } from './governed-action.contract.ts';

/** The record ends by its own deadlines; until it has, it is read again this often. */
const OVERDUE_REREAD_MS = 5_000;
/** Nothing is due: look all the same, in case nobody told. */
const IDLE_REREAD_MS = 15 * 60_000;

const { syncActionCards, remindAction } = proxyLocalActivities<CardActivities>({
  startToCloseTimeout: '30s',
  localRetryThreshold: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, governedAction);

/** Waits with one action: cards, one reminder, deadlines. It holds no truth of its own and reads the record instead. */
export async function governedAction(input: GovernedActionInput): Promise<GovernedActionResult> {
  const { actionId } = input;
  let told = 0;
  let reminded = input.reminded ?? false;
  setHandler(changed, () => {
    told += 1;
  });
  for (;;) {
    const seen = told;
    const view = await syncActionCards(actionId);
    if (isReminderDue(view, reminded)) {
      await remindAction(actionId);
      reminded = true;
    }
    if (told !== seen) continue;
    if (view.final) {
      await condition(allHandlersFinished);
      return view.state;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof governedAction>({ actionId, reminded });
    }
    await condition(() => told !== seen, waitMs(view, reminded));
  }
}

const isReminderDue = (view: ActionView, reminded: boolean): boolean =>
  !reminded &&
  view.wanted &&
  view.state === 'pending' &&
  view.remindAtMs !== null &&
  view.remindAtMs <= Date.now();

/** Until the next of reminder, expiry and deadline. */
function waitMs(view: ActionView, reminded: boolean): number {
  const ends = view.state === 'executing' ? view.deadlineAtMs : view.expiresAtMs;
  const reminder = view.state === 'pending' && view.wanted && !reminded ? view.remindAtMs : null;
  const due = [ends, reminder].filter((at) => at !== null).map((at) => at - Date.now());
  if (due.length === 0) return IDLE_REREAD_MS;
  return Math.max(OVERDUE_REREAD_MS, Math.min(...due));
}
