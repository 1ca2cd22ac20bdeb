import { createHash, randomBytes } from 'node:crypto';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { type Agent, onCallOf, segmentNames } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import { durationMs } from '../domain/duration.ts';
import { allotAlpha, sharesOf } from '../domain/evidence/alpha.ts';
import { harmLimit, isWeighed, PER_MAX, unjudgeable } from '../domain/evidence/measure.ts';
import { asksOf, checkSteps } from '../domain/manifest/check-steps.ts';
import { companionsOf } from '../domain/manifest/companions.ts';
import { definitionsDigest } from '../domain/manifest/definitions.ts';
import { type Guardrail, type Release, toolsOf } from '../domain/release.ts';
import { exposedIn, mostExposed, planSegments, planSteps, type Step } from '../domain/rollout/steps.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { requireReviewed } from '../records/cycle-review.ts';
import { figures } from '../records/figures.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { afterCommit, followRevocation } from '../records/revocation.ts';
import type { FrozenGuardrail, FrozenPlan, RolloutRecord, SumLimits } from '../records/rollout.ts';
import { openRollout, rolloutById } from '../records/rollout.ts';
import { releaseByVersion } from '../releases/create.ts';
import type { Services } from '../services.ts';
import { isDisabled } from './facts.ts';
import { supersede } from './supersede.ts';
import { tellWorkflow } from './tell.ts';

export interface StartRolloutInput {
  agent: string;
  release: string;
  reason: string;
  /** Another one that is open ends, and this one takes its place; else it is refused. */
  supersede?: boolean;
  /** Default: made from agent, release and a random part. Starting the same id again changes nothing. */
  id?: string;
}

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
    await preflight(tx, manifest, release, control);
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

async function controlOf(tx: Sql, agent: Agent): Promise<Record<string, string>> {
  const rows = await tx.selectFrom('in_force').selectAll().where('agent', '=', agent.agent).execute();
  return Object.fromEntries(rows.map((row) => [row.segment, row.release]));
}

async function preflight(
  tx: Sql,
  agent: Agent,
  release: Release,
  control: Record<string, string>,
): Promise<void> {
  const open = await openRollout(tx, agent.agent);
  if (open)
    throw new AppError('wrong_state', `Cannot start: rollout ${open.id} of "${agent.agent}" is open`, {
      rollout: open.id,
      hint: `Wait until it has ended, take it back (rollout rollback ${open.id}), or start with supersede: it ends, and this one takes its place`,
    });
  // The agent may be another one than when the release was applied.
  const problems = checkSteps(release, agent).map(({ message, hint }) => `${message}: ${hint}`);
  if (Object.keys(control).length === 0) {
    problems.push(
      `nothing is in force yet: adopt a first release (portcullis adopt ${agent.agent} <release>)`,
    );
  }
  if (Object.values(control).includes(release.release)) {
    problems.push(`release ${release.release} is in force already`);
  }
  if (agent.owners.length === 0) problems.push('the agent has no owner');
  if (onCallOf(agent).length === 0) problems.push('nobody is on call');
  if (!release.rollout.signedOffBy) {
    problems.push(
      'nobody signed the definitions, escalation and rollback triggers: set rollout.signedOffBy to a person',
    );
  }
  if (release.rollout.guardrails.length === 0) {
    problems.push(
      'no guardrail would take it back: add rollout.guardrails with a metric, a limit and its reason',
    );
  }
  for (const guardrail of release.rollout.guardrails) {
    const { metric, limit, control: besides } = guardrail;
    const declared = agent.metrics[metric];
    if (!declared) problems.push(`guardrail ${metric}: the agent has no such metric`);
    else problems.push(...unjudgeable(declared, guardrail).map((why) => `guardrail ${metric}: ${why}`));
    const tool = declared?.tool;
    const rests = typeof limit !== 'number' ? 'baseline' : besides ? 'control' : undefined;
    if (rests && tool !== undefined && !(await controlGrants(tx, agent, control, tool)))
      problems.push(
        `guardrail ${metric}: no release in force grants "${tool}", so there is no ${rests} of it: write a limit of its own`,
      );
  }
  if (problems.length > 0) {
    throw new AppError(
      'preflight_failed',
      `Cannot start release ${release.release}:\n- ${problems.join('\n- ')}`,
      { problems },
    );
  }
}

/** Whether anything in force lets the tool be used: what nobody may do has no baseline. */
async function controlGrants(
  tx: Sql,
  agent: Agent,
  control: Record<string, string>,
  tool: string,
): Promise<boolean> {
  for (const version of new Set(Object.values(control))) {
    const { grants } = await releaseByVersion(tx, agent.agent, version);
    if (grants.some((grant) => grant.deny === undefined && toolsOf(grant).includes(tool))) return true;
  }
  return false;
}

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
