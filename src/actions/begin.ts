import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { type IssuedCredential, issueCredential } from '../credentials/issue.ts';
import { isGateBusy } from '../db/failure.ts';
import type { SupersededBecause } from '../domain/action.ts';
import { SUPERSEDED_WORDS } from '../domain/words.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { type ActionRow, actionById, ownAction, privateOf } from '../records/action.ts';
import type { Services } from '../services.ts';

/** From `begin` to the write itself: compared by gateway and SDK last before sending. */
export const START_BY_MS = 5_000;
/** Silence after this is `unknown`. */
export const COMPLETE_WITHIN_MS = 120_000;
const BUSY_RETRIES = 5;

export interface Begun {
  action: ActionRow;
  startBy: Date;
  credential?: IssuedCredential;
  /** The arguments in force, when people changed them: these are approved and no others. */
  args?: Record<string, unknown>;
}

type BeginStatus =
  | 'begun'
  | 'again'
  | 'unknown_action'
  | 'too_late'
  | 'already_begun'
  | 'not_approved'
  | 'expired'
  | 'disabled'
  | 'group_stale'
  | SupersededBecause
  | 'limit_reached';

const REFUSALS: Readonly<
  Record<Exclude<BeginStatus, 'begun' | 'again' | SupersededBecause>, [ErrorCode, string]>
> = {
  unknown_action: ['not_found', 'there is no such action of this agent'],
  too_late: ['too_late', 'its time to start is over'],
  already_begun: ['already_begun', 'its approval is used'],
  not_approved: ['not_approved', 'it is not approved'],
  expired: ['too_late', 'its approval has expired'],
  disabled: ['stopped', 'it is switched off'],
  group_stale: ['group_stale', 'nobody knows now who is in an approver group'],
  limit_reached: ['limit_reached', 'the limit of its grant is used up'],
};

/**
 * The moment of the write, once: re-checks everything under the gate's lock, consumes the approval, then mints the
 * credential for exactly this action. The same `executionId` before `startBy` gets a new credential.
 * An action whose arguments people changed begins only for an agent that names their round: it knows of the change.
 * @throws AppError `args_changed`, `not_approved`, `already_begun`, `stopped`, `too_late`, `limit_reached`, `store_down`
 */
export async function beginAction(
  services: Services,
  actor: Actor,
  { id, executionId, round }: { id: string; executionId: string; round?: number },
): Promise<Begun> {
  requireRole(actor, ['agent']);
  const known = await ownAction(services.db.sql, actor, id);
  assertKnowsRound(known, round);
  const { status, state } = await beginUnderGate(services, actor, known, executionId);
  if (status !== 'begun' && status !== 'again') {
    const [code, why] = refusalOf(status);
    services.wake();
    throw new AppError(code, `Cannot begin action ${id}: ${why} (state ${state})`, {
      state,
      because: status,
    });
  }
  const action = await actionById(services.db.sql, id);
  const kept = await privateOf(services.db.sql, id);
  const credential = kept && (await issueCredential(services, action, Buffer.from(kept.salt)));
  services.wake();
  if (!credential || !action.start_by) {
    throw new AppError(
      'stopped',
      `Cannot begin action ${id}: a stop came before its credential was given out`,
      {
        because: 'stopped_before_credential',
      },
    );
  }
  const args = action.round > 0 ? (JSON.parse(kept.args) as Record<string, unknown>) : undefined;
  return { action, startBy: action.start_by, credential, ...(args && { args }) };
}

function refusalOf(status: Exclude<BeginStatus, 'begun' | 'again'>): [ErrorCode, string] {
  return isSuperseding(status) ? ['stopped', SUPERSEDED_WORDS[status]] : REFUSALS[status];
}

const isSuperseding = (status: BeginStatus): status is SupersededBecause =>
  Object.hasOwn(SUPERSEDED_WORDS, status);

/** Only what waits can be edited, so that the round of anything else stands. */
function assertKnowsRound({ id, state, round: current }: ActionRow, round: number | undefined): void {
  if (state === 'pending')
    throw new AppError('not_approved', `Cannot begin action ${id}: it is not approved (state pending)`, {
      state,
      because: 'not_approved',
    });
  if (current === (round ?? 0)) return;
  throw new AppError(
    'args_changed',
    `Cannot begin action ${id}: people changed its arguments. Send "round": ${current} to say that you will use those that begin answers`,
    { round: current },
  );
}

async function beginUnderGate(services: Services, actor: Actor, action: ActionRow, executionId: string) {
  for (let attempt = 0; ; attempt++) {
    try {
      const { rows } = await sql<{ status: BeginStatus; state: string }>`
        SELECT status, state FROM begin_action(${action.id}, ${action.agent}, ${executionId}, ${services.clock.now()},
          ${actor.id}, ${START_BY_MS}, ${COMPLETE_WITHIN_MS})`.execute(services.db.gate);
      const [row] = rows;
      if (!row) throw new Error('begin_action answered nothing');
      return row;
    } catch (error) {
      // A stop is waiting for the gate or holds it: what it decides must be known before this write may begin.
      if (!isGateBusy(error) || attempt >= BUSY_RETRIES) throw error;
    }
  }
}
