import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { type IssuedCredential, issueCredential } from '../credentials/issue.ts';
import { isGateBusy } from '../db/failure.ts';
import { isUuid } from '../db/uuid.ts';
import type { SupersededBecause } from '../domain/action.ts';
import { SUPERSEDED_WORDS } from '../domain/words.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { type ActionRow, noSuchAction, ownAction } from '../records/action.ts';
import type { Services } from '../services.ts';
import { TOKEN_OVER } from '../tokens/tokens.ts';
import type { ViewParts } from './action-view.ts';
import { partsOf, type ShownWith } from './view-parts.ts';

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
  /** What a view of it needs beside the row. */
  parts: ViewParts;
}

type BegunRow = ActionRow & ShownWith & { status: BeginStatus; salt: Buffer | null; args: string | null };

type BeginStatus =
  | 'begun'
  | 'again'
  | 'unauthenticated'
  | 'args_changed'
  | 'unknown_action'
  | 'too_late'
  | 'already_begun'
  | 'not_approved'
  | 'expired'
  | 'disabled'
  | 'group_stale'
  | SupersededBecause
  | 'limit_reached';

type RefusedStatus = Exclude<BeginStatus, 'begun' | 'again'>;

const REFUSALS: Readonly<
  Record<
    Exclude<RefusedStatus, 'unauthenticated' | 'unknown_action' | 'args_changed' | SupersededBecause>,
    [ErrorCode, string]
  >
> = {
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
  if (!isUuid(id)) throw noSuchAction(id);
  const {
    status,
    salt,
    args: changed,
    digest,
    decisions,
    edits,
    ...action
  } = await beginUnderGate(services, actor, { id, executionId, round });
  if (status !== 'begun' && status !== 'again') throw await refusalOf(services, actor, id, status, action);
  const credential = salt && (await issueCredential(services, action, salt));
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
  const args = changed === null ? undefined : (JSON.parse(changed) as Record<string, unknown>);
  const parts = await partsOf(services, action, { digest, decisions, edits });
  return { action, startBy: action.start_by, credential, ...(args && { args }), parts };
}

/** Why not, in words. What is no action may be a read, which is nothing to begin. */
async function refusalOf(
  services: Services,
  actor: Actor,
  id: string,
  status: RefusedStatus,
  action: ActionRow,
): Promise<AppError> {
  if (status === 'unauthenticated') return new AppError('unauthenticated', TOKEN_OVER);
  if (status === 'args_changed') return argsChanged(action);
  const { state } = status === 'unknown_action' ? await ownAction(services.db.sql, actor, id) : action;
  const because = status === 'unknown_action' ? 'not_approved' : status;
  const [code, why] = isSuperseding(because)
    ? (['stopped', SUPERSEDED_WORDS[because]] as const)
    : REFUSALS[because];
  services.wake();
  return new AppError(code, `Cannot begin action ${id}: ${why} (state ${state})`, { state, because });
}

/** The agent has to say that it knows of the change. */
const argsChanged = ({ id, round }: ActionRow): AppError =>
  new AppError(
    'args_changed',
    `Cannot begin action ${id}: people changed its arguments. Send "round": ${round} to say that you will use those that begin answers`,
    { round },
  );

const isSuperseding = (status: BeginStatus): status is SupersededBecause =>
  Object.hasOwn(SUPERSEDED_WORDS, status);

async function beginUnderGate(
  services: Services,
  actor: Actor,
  { id, executionId, round = 0 }: { id: string; executionId: string; round?: number },
): Promise<BegunRow> {
  const { token } = actor;
  for (let attempt = 0; ; attempt++) {
    try {
      const { rows } = await sql<BegunRow>`
        SELECT b.status, b.digest, b.salt, b.args, b.decisions, b.edits, (b.known).* FROM begin_write(${id},
          ${actor.agent ?? null}, ${executionId}, ${round}, ${services.clock.now()}, ${actor.id}, ${START_BY_MS},
          ${COMPLETE_WITHIN_MS}, ${token?.id ?? null}, ${token?.epoch ?? null}) b`.execute(services.db.gate);
      const [row] = rows;
      if (!row) throw new Error('begin_write answered nothing');
      return row;
    } catch (error) {
      // A stop is waiting for the gate or holds it: what it decides must be known before this write may begin.
      if (!isGateBusy(error) || attempt >= BUSY_RETRIES) throw error;
    }
  }
}
