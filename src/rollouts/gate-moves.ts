import { onCallOf } from '../domain/agent.ts';
import { BY_PLAN } from '../domain/rollout/paused.ts';
import { raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { stepOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { GATE_CLOSED, lockRow, type Planned, pausedBy } from './moves.ts';

/** Tells people that only their approval is missing, and reminds them of it. */
export async function askForGate(services: Services, planned: Planned): Promise<boolean> {
  const now = services.clock.now();
  return services.db.sql.transaction().execute(async (tx) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout) return false;
    const reminder = rollout.gate_told_at !== null;
    await tx
      .updateTable('rollout')
      .set({ gate_told_at: now, gate_asked_at: rollout.gate_asked_at ?? rollout.gate_told_at ?? now })
      .where('id', '=', planned.id)
      .execute();
    await raiseAlert(tx, 'rollout.gate', rollout.agent, now, {
      ...gateFacts(rollout),
      ...(reminder && { reminder }),
    });
    await appendEntry(tx, {
      kind: reminder ? 'rollout.gate_reminded' : 'rollout.gate_ready',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: BY_PLAN,
      data: { step: rollout.step_index + 1 },
    });
    return true;
  });
}

/** Something besides the owners holds it up again: nobody can answer, so nobody is waited for. They are told anew afterwards. */
export async function closeGate(services: Services, planned: Planned): Promise<boolean> {
  return services.db.sql.transaction().execute(async (tx) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout) return false;
    await tx.updateTable('rollout').set(GATE_CLOSED).where('id', '=', planned.id).execute();
    return true;
  });
}

/** Tells on-call as well that nobody answered a gate. The gate stays the owners'. */
export async function escalateGate(services: Services, planned: Planned): Promise<boolean> {
  const now = services.clock.now();
  return services.db.sql.transaction().execute(async (tx) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout) return false;
    const onCall = onCallOf(await manifestOf(tx, rollout.agent));
    await tx
      .updateTable('rollout')
      .set({ gate_escalated_at: now, gate_told_at: now })
      .where('id', '=', planned.id)
      .execute();
    await raiseAlert(tx, 'rollout.gate', rollout.agent, now, { ...gateFacts(rollout), escalatedTo: onCall });
    await appendEntry(tx, {
      kind: 'rollout.gate_escalated',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: BY_PLAN,
      data: { step: rollout.step_index + 1, to: onCall },
    });
    return true;
  });
}

/** Holds a rollout whose gate nobody answered: paused, with what is exposed as it is, until somebody resumes it. */
export async function expireGate(services: Services, planned: Planned): Promise<boolean> {
  const now = services.clock.now();
  return services.db.sql.transaction().execute(async (tx) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout) return false;
    const because = `nobody answered the gate of step ${rollout.step_index + 1} since ${rollout.gate_asked_at?.toISOString() ?? 'it opened'}`;
    await tx
      .updateTable('rollout')
      .set({ ...pausedBy(rollout, { now, by: BY_PLAN, because }), ...GATE_CLOSED })
      .where('id', '=', planned.id)
      .execute();
    await raiseAlert(tx, 'rollout.held', rollout.agent, now, { rollout: rollout.id, because });
    await appendEntry(tx, {
      kind: 'rollout.gate_expired',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: BY_PLAN,
      data: { step: rollout.step_index + 1, because },
    });
    return true;
  });
}

function gateFacts(rollout: RolloutRecord) {
  const { phase, gate } = stepOf(rollout);
  return {
    rollout: rollout.id,
    step: rollout.step_index + 1,
    phase,
    waitsFor: ['an owner approves the gate'],
    checklist: gate.checklist,
  };
}
