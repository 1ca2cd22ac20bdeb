import type { Reach } from '../db/tables-action.ts';
import type { Way } from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';
import { type AlertKind, raiseAlert } from '../records/alert.ts';
import { changeWaiting, noteWaiting, type WaitingServices } from './change-waiting.ts';
import { keepTold, noteAlert } from './told.ts';

/** What was found out about reaching people. */
export interface Found extends Omit<Reach, 'at' | 'people'> {
  /** Who was told or can see it, and how. */
  told: Readonly<Record<string, readonly Way[]>>;
  /** Tells on-call, once for each round and stage. */
  alert?: Extract<AlertKind, 'action.unreached' | 'action.undelivered'>;
  /** The agent's digest speaks of it next. */
  joinsDigest?: boolean;
}

/**
 * Writes down whether people were reached; nothing when it says what is known already. A new moment for the post alone
 * makes no log entry. Answers the row as it is now.
 */
export async function recordReach(
  services: WaitingServices,
  action: ActionRow,
  found: Found,
): Promise<ActionRow> {
  const reach = reachOf(action.reach, found, services.clock.now());
  const isNews = !isSame(action.reach, reach);
  if (!isNews && action.reach?.postAt === reach.postAt) return action;
  const recorded = await changeWaiting(services, action, async (tx) => {
    await tx
      .updateTable('action')
      .set({ reach: JSON.stringify(reach) })
      .where('id', '=', action.id)
      .execute();
    if (!isNews) return;
    const now = services.clock.now();
    const { state, people, problem } = reach;
    await keepTold(tx, action, found.told, now);
    const alert = found.alert && (await noteAlert(tx, action, found.alert)) ? found.alert : undefined;
    await noteWaiting(tx, action, 'action.reach', now, {
      state,
      people,
      told: found.told,
      ...(problem ? { problem } : {}),
      ...(alert ? { alert } : {}),
    });
    if (alert) {
      const { id, round, stage, summary } = action;
      await raiseAlert(tx, alert, action.agent, now, { action: id, summary, round, stage, problem });
    }
    if (found.joinsDigest)
      await tx.insertInto('outbox').values({ topic: 'digest', key: action.agent, payload: '{}' }).execute();
  });
  return recorded.action;
}

/** `at` is since when it has been so: in this state, with a problem or without. */
function reachOf(before: Reach | null, { state, told, postAt, problem }: Found, now: Date): Reach {
  const goesOn = before?.state === state && (before.problem === undefined) === (problem === undefined);
  return {
    state,
    people: Object.keys(told).sort(),
    at: goesOn ? before.at : now.toISOString(),
    ...(postAt ? { postAt } : {}),
    ...(problem ? { problem } : {}),
  };
}

const isSame = (before: Reach | null, { state, people, problem }: Reach): boolean =>
  before !== null &&
  before.state === state &&
  before.problem === problem &&
  JSON.stringify(before.people) === JSON.stringify(people);
