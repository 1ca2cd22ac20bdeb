import type { Actor } from '../../actor.ts';
import type { Sql } from '../../db/database.ts';
import type { StandingWish } from '../../db/tables-action.ts';
import type { Agent } from '../../domain/agent.ts';
import { checkEnvelope } from '../../domain/decision/envelope.ts';
import { AppError } from '../../errors.ts';
import { type ActionRow, privateOf } from '../../records/action.ts';
import { toolAsAsked } from '../../records/args.ts';

/** "The like of it, so many times, for so long." */
export interface StandingApprovalInput {
  /** CEL over `args`: what counts as the like of it. */
  envelope: string;
  maxUses: number;
  forMs: number;
}

export const STANDING_USES_MAX = 100;

export const STANDING_FOR_MAX_MS = 24 * 3_600_000;

/** The wish as it is kept with the action. @throws AppError `invalid_input` */
export function wishFrom(
  actor: Actor,
  action: ActionRow,
  { envelope, maxUses, forMs }: StandingApprovalInput,
): StandingWish {
  const cannot = (why: string) => new AppError('invalid_input', `Cannot approve the like of it: ${why}`);
  if (action.kind !== 'write') throw cannot('it is no write');
  if (!Number.isInteger(maxUses) || maxUses < 1 || maxUses > STANDING_USES_MAX)
    throw cannot(`it may be used 1 to ${STANDING_USES_MAX} times`);
  if (!(forMs >= 60_000 && forMs <= STANDING_FOR_MAX_MS)) throw cannot('it may last a minute to 24 hours');
  return { envelope: envelope.trim(), maxUses, forMs, by: actor.person ?? actor.id };
}

/**
 * Whether this release and these arguments allow it.
 * @throws AppError `not_eligible` when the release forbids it, `invalid_input` for the envelope, `wrong_state` when
 * others approved without it
 */
export async function assertMayStand(
  tx: Sql,
  { action, agent, answers }: { action: ActionRow; agent: Agent; answers: number },
  wish: StandingWish,
): Promise<void> {
  if (action.approval?.standing !== 'allowed')
    throw new AppError(
      'not_eligible',
      `Cannot approve the like of it: the release forbids standing approvals for "${action.tool}"`,
      { because: 'standing_forbidden' },
    );
  if (answers > 0)
    throw new AppError(
      'wrong_state',
      'Cannot approve the like of it: others answered this one without it. Approve this one alone',
    );
  const tool = toolAsAsked(agent, action);
  const kept = await privateOf(tx, action.id);
  if (!tool || !kept)
    throw new AppError('wrong_state', 'Cannot approve the like of it: its arguments are gone');
  const problem = checkEnvelope(wish.envelope, tool, JSON.parse(kept.args));
  if (problem) throw new AppError('invalid_input', `Cannot approve the like of it: ${problem}`);
}
