import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { proposeFromWord } from '../cases/from-people.ts';
import { newSalt } from '../credentials/keys.ts';
import { credentialSpec } from '../credentials/spec.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { mayDeny, slackMayApprove } from '../domain/approval/approval.ts';
import { mergeRedacted } from '../domain/decision/args-diff.ts';
import { type Decision, decideIn } from '../domain/decision/decide.ts';
import { withoutHiddenNames } from '../domain/decision/hidden-names.ts';
import { redactionsOf } from '../domain/decision/redact.ts';
import { renderSummary } from '../domain/decision/summary.ts';
import { canonical, saltedDigest } from '../domain/digest.ts';
import type { AgentWorld } from '../enforcement/world.ts';
import { AppError } from '../errors.ts';
import { knowEvent, metricsOfProposal } from '../outcomes/event.ts';
import { reasonIn } from '../reason.ts';
import { type ActionRow, actionById, lockedAction, privateOf } from '../records/action.ts';
import { toolAsAsked } from '../records/args.ts';
import { readEpoch } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { Turns } from '../turns.ts';
import { answererOf, assertOpen, refused } from './answer.ts';
import { readEligibility } from './eligibility.ts';

const ROUNDS_MAX = 8;

/** Other arguments for an action that waits, from somebody who may answer it. */
export interface EditInput {
  id: string;
  /** As shown, redacted values still marked: those stay what they were. */
  args: Readonly<Record<string, unknown>>;
  digest: string;
  revision: number;
  reason?: string;
  receivedAt?: Date;
}

/**
 * Changes the arguments of an action that waits: checked by the tool's schema and by the release it was asked under,
 * risk, approval and digest computed again, the count begun anew. Whoever edits does not count as an approver.
 * @throws AppError `not_eligible`, `not_pending`, `seen_outdated`, `invalid_input` when schema or release refuse them
 */
export async function editAction(services: Services, actor: Actor, input: EditInput): Promise<ActionRow> {
  requireRole(actor, ['approver']);
  const known = await actionById(services.db.sql, input.id);
  const person = answererOf(actor, known);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const world = await services.worlds.fresh(known.agent);
    const edited = await withoutDeadlock(() =>
      services.db.sql.transaction().execute(async (tx) => {
        const action = await lockedAction(tx, input.id);
        await assertMayEdit(services, tx, actor, person, action);
        assertOpen(action, { ...input, verdict: 'edit' }, services.clock.now());
        if ((await readEpoch(tx)) !== world.epoch) return false;
        await replaceArgs(services, tx, actor, world, action, input);
        return true;
      }),
    );
    if (!edited) continue;
    services.wake();
    await proposeFromWord(services, { action: known, because: 'edited', person });
    return actionById(services.db.sql, input.id);
  }
  throw new AppError('conflict', `Cannot edit: what is in force changed ${ROUNDS_MAX} times meanwhile`);
}

async function assertMayEdit(
  services: Services,
  tx: Sql,
  actor: Actor,
  person: string,
  action: ActionRow,
): Promise<void> {
  const eligibility = await readEligibility(tx, action, services.clock.now());
  // Who edited before may edit again: it is approving that takes somebody else.
  const refusal = mayDeny(person, { ...eligibility, editors: [] }, action);
  if (refusal) throw refused('edit', refusal);
  if (actor.via === 'slack' && !slackMayApprove(action)) {
    const message = 'its release wants it handled on the page or by CLI: a Slack account alone is not enough';
    throw refused('edit', { because: 'not_from_slack', message });
  }
}

async function replaceArgs(
  services: Services,
  tx: Sql,
  actor: Actor,
  { agent, world }: AgentWorld,
  action: ActionRow,
  input: EditInput,
): Promise<void> {
  const cannot = (why: string, hint?: string) =>
    new AppError('invalid_input', `Cannot edit: ${why}`, hint ? { hint } : {});
  const known = world.agent.tools.get(action.tool);
  const hidden = toolAsAsked(world.agent.agent, action);
  const tool = known && hidden && { ...known, redactions: redactionsOf(hidden) };
  const kept = await privateOf(tx, action.id);
  if (!tool || !hidden || !kept) throw cannot('its arguments are gone');
  const turns = new Turns();
  const before = JSON.parse(kept.args) as Record<string, unknown>;
  const merged = mergeRedacted(input.args, before, tool.redactions);
  if (!merged.ok) throw cannot(merged.message);
  const { args } = merged;
  await turns.next();
  if (canonical(args) === canonical(before)) throw cannot('nothing is different');
  await turns.next();
  const said = tool.args.misfit(args);
  const misfit = said && withoutHiddenNames(said, args, tool.redactions);
  if (misfit) throw cannot(`the arguments do not fit the tool's schema: ${misfit}`);
  await turns.next();
  const decision = await decideAgain(tx, world, action, args, kept);
  if (decision.outcome === 'denied')
    throw cannot(
      `the release refuses these arguments: ${decision.reasons[0]?.message ?? 'denied'}`,
      decision.reasons[0]?.hint,
    );
  const salt = newSalt();
  const digest = saltedDigest(salt, args);
  const now = services.clock.now();
  const round = action.round + 1;
  await tx
    .insertInto('action_edit')
    .values({
      action_id: action.id,
      round,
      editor: actor.person ?? actor.id,
      at: now,
      via: actor.via,
      identity: actor.identity,
      reason: reasonIn(input.reason) ?? null,
      args_before: kept.args,
      digest_before: action.args_digest,
    })
    .execute();
  await tx
    .updateTable('action_private')
    .set({ args: canonical(args), salt })
    .where('action_id', '=', action.id)
    .execute();
  // Fewer people may not follow from what one person changed.
  const approval = decision.outcome === 'pending' ? decision.approval : action.approval;
  await tx
    .updateTable('action')
    .set({
      round,
      stage: 0,
      stage_opened_at: now,
      routed: '[]',
      reach: null,
      standing_wish: null,
      args_digest: digest,
      summary: renderSummary(tool, args),
      redact: JSON.stringify(hidden.redact),
      risk: decision.risk,
      approval: approval ? JSON.stringify(approval) : null,
      // What may be done with it is what the grant allows that these arguments fall under.
      ...(decision.grant && {
        grant_name: decision.grant.name,
        limits: JSON.stringify(decision.grant.limits),
        credential: JSON.stringify(credentialSpec(agent, action.tool, decision.grant)),
      }),
      revision: sql`revision + 1`,
    })
    .where('id', '=', action.id)
    .execute();
  await appendEntry(tx, {
    kind: 'action.edited',
    agent: action.agent,
    ref: action.id,
    at: now,
    actor: actor.person ?? actor.id,
    data: {
      round,
      digestBefore: action.args_digest,
      argsDigest: digest,
      risk: decision.risk,
      via: actor.via,
      identity: actor.identity,
      reason: reasonIn(input.reason) ?? null,
    },
  });
  for (const metric of metricsOfProposal(action)) await knowEvent(tx, action, metric, 1, now);
  await tx.insertInto('outbox').values({ topic: 'action', key: action.id, payload: '{}' }).execute();
}

/** What the release it was asked under says to other arguments, in the segment and arm that are fixed. */
async function decideAgain(
  tx: Sql,
  world: AgentWorld['world'],
  action: ActionRow,
  args: Readonly<Record<string, unknown>>,
  kept: { context: string; attributes: string },
): Promise<Decision> {
  const subject = await tx
    .selectFrom('subject')
    .select('name')
    .where('id', '=', action.subject_id ?? 0)
    .executeTakeFirst();
  const request = {
    tool: action.tool,
    args,
    attributes: JSON.parse(kept.attributes),
    claimed: JSON.parse(kept.context),
    subject: subject?.name ?? '',
    behind: action.behind,
  };
  return decideIn(request, world, {
    segment: action.segment ?? 'default',
    arm: action.arm,
    ...(action.release === null ? {} : { release: action.release }),
    ...(action.generation === null ? {} : { generation: action.generation }),
    ...(action.rollout_id === null ? {} : { rolloutId: action.rollout_id }),
  });
}
