import { createHash, randomBytes } from 'node:crypto';
import { type Actor, requireRole } from '../actor.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import { durationMs } from '../domain/duration.ts';
import { allotAlpha, sharesOf } from '../domain/evidence/alpha.ts';
import { harmLimit, isWeighed, PER_MAX } from '../domain/evidence/measure.ts';
import { asksOf } from '../domain/manifest/check-steps.ts';
import { companionsOf } from '../domain/manifest/companions.ts';
import { definitionsDigest } from '../domain/manifest/definitions.ts';
import type { Guardrail, Release } from '../domain/release.ts';
import { exposedIn, mostExposed, planSegments, planSteps, type Step } from '../domain/rollout/steps.ts';
import { requireReason } from '../reason.ts';
import { requireReviewed } from '../records/cycle-review.ts';
import { figures } from '../records/figures.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { releaseByVersion } from '../records/release.ts';
import { afterCommit, followRevocation } from '../records/revocation.ts';
import type { FrozenGuardrail, FrozenPlan, RolloutRecord, SumLimits } from '../records/rollout.ts';
import { openRollout, rolloutById } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { isDisabled } from './facts.ts';
import { assertMayStart, controlOf, recordLeave, suiteOfStart } from './may-start.ts';
import type { StartRolloutInput } from './start-input.ts';
import { checkWaivers } from './suite-gate.ts';
import { supersede } from './supersede.ts';
import { tellWorkflow } from './tell.ts';

/**
 * Starts the 90 days of a release: preflight, then everything a judgement depends on is frozen with its digest.
 * @throws AppError `preflight_failed` with every problem at once, `wrong_state` when a rollout is open
 */
export async function startRollout(
  services: Services,
  actor: Actor,
  input: StartRolloutInput,
): Promise<RolloutRecord> {
  requireRole(actor, ['release-manager'], input.agent);
  requireReason(input.reason, 'start');
  const id = input.id ?? `${input.agent}-${input.release}-${randomBytes(3).toString('hex')}`;
  const now = services.clock.now();
  const { noneYet, waivers = [] } = input;
  if (noneYet !== undefined) requireReason(noneYet, 'say that there is no case yet');
  checkWaivers(waivers, now, services.dayMs);
  const suite = await suiteOfStart(services, input);
  const followed = await closeGateFor(services, async (tx, epoch) => {
    const known = await tx.selectFrom('rollout').select('id').where('id', '=', id).executeTakeFirst();
    if (known) return false;
    await requireReviewed(tx, input.agent);
    const open = input.supersede ? await openRollout(tx, input.agent) : undefined;
    const { release: version, reason } = input;
    const revocations = open
      ? await supersede(tx, actor, open, { by: id, release: version, reason, epoch, at: now })
      : [];
    const manifest = await manifestOf(tx, input.agent);
    const release = await releaseByVersion(tx, input.agent, input.release);
    const control = await controlOf(tx, manifest);
    await assertMayStart(tx, { manifest, release, control, noneYet, waivers, person: actor.id, suite, now });
    const plan = freeze(manifest, release, control, services.dayMs);
    const salt = randomBytes(16).toString('hex');
    const digests = {
      plan: digestOf(plan),
      definitions: definitionsDigest(manifest),
    };
    await tx
      .insertInto('rollout')
      .values({
        id,
        agent: input.agent,
        release: input.release,
        status: 'running',
        salt,
        plan: JSON.stringify(plan),
        compared: plan.guardrails.flatMap(({ metric, control }) => (control ? metric : [])),
        sourced: Object.keys(plan.sources ?? {}).length > 0,
        digests: JSON.stringify(digests),
        step_index: 0,
        started_at: now,
        started_by: actor.id,
        reason: input.reason,
        step_elapsed_ms: 0,
        ticking_since: (await isDisabled(tx, input.agent)) ? null : now,
        revision: 1,
      })
      .execute();
    await tx
      .insertInto('rollout_segment')
      .values(
        segmentNames(manifest).map((segment) => ({
          rollout_id: id,
          segment,
          exposure: 0,
          generation: 1,
          state: 'waiting' as const,
          changed_at: now,
        })),
      )
      .execute();
    await recordLeave(tx, { input, person: actor.id, rollout: id, at: now });
    await appendEntry(tx, {
      kind: 'rollout.started',
      agent: input.agent,
      ref: id,
      at: now,
      actor: actor.id,
      data: {
        release: input.release,
        control,
        reason: input.reason,
        digests,
        signedOffBy: plan.signedOffBy,
        plan: figures(plan),
        dayMs: plan.dayMs,
        // Said at the end: until then nobody can tell who falls in which arm, and nobody can choose it afterwards.
        saltCommitment: saltCommitment(salt),
        ...(noneYet !== undefined && { noneYet }),
        ...(waivers.length > 0 && {
          waivers: waivers.map(({ until, ...one }) => ({ ...one, until: until.toISOString() })),
        }),
      },
    });
    await tellWorkflow(tx, id);
    return revocations;
  });
  for (const revocation of followed || [])
    await afterCommit(services.log, revocation, () => followRevocation(services.db.sql, revocation, now));
  return rolloutById(services.db.sql, id);
}

const saltCommitment = (salt: string): string => createHash('sha256').update(salt, 'utf8').digest('hex');

function freeze(agent: Agent, release: Release, control: Record<string, string>, dayMs: number): FrozenPlan {
  const { rollout } = release;
  const steps = planSteps(rollout, planSegments(agent));
  const exposed = exposedIn(steps, segmentNames(agent));
  const matureAfter = (metric: string) => agent.metrics[metric]?.matureAfter ?? '1d';
  return {
    steps,
    alpha: rollout.alpha,
    shares: allotAlpha({ guardrails: sharesOf(rollout.guardrails), startingSegments: exposed }),
    guardrails: rollout.guardrails.map((guardrail) => frozenGuardrail(guardrail, agent)),
    sums: sumsOf(rollout.guardrails, agent, steps),
    sources: Object.fromEntries(
      rollout.guardrails.flatMap(({ metric }) => {
        const source = agent.metrics[metric]?.source;
        return source ? [[metric, source]] : [];
      }),
    ),
    ...(rollout.pairs && { pairs: rollout.pairs }),
    asks: asksOf(release, agent),
    control,
    representative: planSegments(agent)
      .filter((segment) => segment.representative)
      .map((segment) => segment.name),
    signedOffBy: rollout.signedOffBy ?? '',
    escalation: rollout.escalation,
    subject: rollout.subject,
    newSubjectsPerHour: rollout.newSubjectsPerHour,
    matureAfter: Object.fromEntries(rollout.guardrails.map(({ metric }) => [metric, matureAfter(metric)])),
    ripeMs: Object.fromEntries(
      rollout.guardrails
        .filter(({ control }) => control)
        .map(({ metric }) => [metric, durationMs(matureAfter(metric), dayMs)]),
    ),
    companions: companionsOf(release, agent, exposed),
    ...(rollout.watchFor && { watchFor: rollout.watchFor }),
    dayMs,
  };
}

/** Whatever direction is better: from here on its limit is one on harm. */
function frozenGuardrail(guardrail: Guardrail, agent: Agent): FrozenGuardrail {
  const metric = agent.metrics[guardrail.metric];
  const { limit } = guardrail;
  if (metric?.direction !== 'higher' || typeof limit !== 'number') return guardrail;
  return { ...guardrail, limit: harmLimit(metric, limit), atLeast: limit };
}

const sumsOf = (
  guardrails: readonly Guardrail[],
  agent: Agent,
  steps: readonly Step[],
): NonNullable<FrozenPlan['sums']> =>
  Object.fromEntries(
    guardrails.flatMap(({ metric, limit, control }) => {
      const declared = agent.metrics[metric];
      if (declared === undefined || !isWeighed(declared)) return [];
      const { kind, cap, unit, perMax = PER_MAX } = declared;
      const limits: SumLimits = {
        ...(typeof limit === 'number' && { limit }),
        ...(cap !== undefined && { cap }),
        ...(kind === 'ratio' && { perMax, unit }),
        ...(control &&
          'more' in control && {
            more: control.more,
            exposed: mostExposed(steps),
          }),
      };
      return [[metric, limits]];
    }),
  );
