import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { closeGateFor } from '../records/gate.ts';
import type { Services } from '../services.ts';
import { evidenceOf, judgeSlice } from './judge.ts';
import { type AutonomyMove, moveAutonomy, type Slice, stateOf } from './store.ts';

/**
 * A person confirms a proposed move from ask to allow, or refuses it. The evidence is judged once more at this moment.
 * @throws AppError `wrong_state` when nothing is proposed, `gate_not_ready` when the evidence no longer carries it
 */
export async function answerAutonomy(
  services: Services,
  actor: Actor,
  { slice, accept, reason }: { slice: Slice; accept: boolean; reason: string },
): Promise<{ state: 'ask' | 'allow' }> {
  requireRole(actor, ['release-manager'], slice.agent);
  requireReason(reason, accept ? 'confirm' : 'refuse');
  const state = await stateOf(services.db.sql, slice);
  if (state !== 'proposed')
    throw new AppError(
      'wrong_state',
      `Cannot answer: nothing is proposed for ${nameOf(slice)} (it is ${state})`,
    );
  const to = accept ? 'allow' : 'ask';
  await move(services, actor, slice, async (tx) => {
    const judged = await judgeSlice(services, tx, slice);
    if (accept && judged?.verdict.verdict !== 'earned')
      throw new AppError('gate_not_ready', `Cannot confirm: the evidence no longer carries ${nameOf(slice)}`);
    return {
      from: 'proposed',
      to,
      kind: accept ? 'autonomy.allowed' : 'autonomy.refused',
      evidence: judged ? evidenceOf(judged) : {},
      because: reason,
      anew: !accept,
    };
  });
  return { state: to };
}

/**
 * On-call or an owner asks people again, at once: once it has returned no write begins without them.
 * @throws AppError `wrong_state` when it asks already
 */
export async function takeAutonomyBack(
  services: Services,
  actor: Actor,
  { slice, reason }: { slice: Slice; reason: string },
): Promise<{ state: 'ask' }> {
  requireRole(actor, ['on-call', 'release-manager'], slice.agent);
  requireReason(reason, 'take it back');
  const state = await stateOf(services.db.sql, slice);
  if (state === 'ask') throw new AppError('wrong_state', `${nameOf(slice)} asks people already`);
  await move(services, actor, slice, async () => ({
    from: state,
    to: 'ask',
    kind: 'autonomy.taken_back',
    evidence: {},
    because: reason,
    anew: true,
  }));
  return { state: 'ask' };
}

async function move(
  services: Services,
  actor: Actor,
  slice: Slice,
  changeIn: (tx: Sql) => Promise<Omit<AutonomyMove, 'now' | 'actor'>>,
): Promise<void> {
  const moved = await closeGateFor(services, async (tx) => {
    const now = services.clock.now();
    return moveAutonomy(tx, slice, { ...(await changeIn(tx)), now, actor: actor.person ?? actor.id });
  });
  if (!moved) throw new AppError('conflict', `${nameOf(slice)} changed meanwhile`);
}

const nameOf = ({ release, grant, tool, segment, agentVersion }: Slice): string =>
  `grant "${grant}" of release ${release} for "${tool}" in segment "${segment}", version ${agentVersion}`;
