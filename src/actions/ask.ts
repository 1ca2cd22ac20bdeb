import { type Actor, requireRole } from '../actor.ts';
import { verifyAssertion } from '../agents/assertion.ts';
import { unlessDeniedBefore } from '../approvals/denied-before.ts';
import { liveStandings } from '../approvals/standing/live.ts';
import type { IssuedCredential } from '../credentials/issue.ts';
import { newSalt } from '../credentials/keys.ts';
import { credentialSpec } from '../credentials/spec.ts';
import { isStoreDown } from '../db/failure.ts';
import { newId } from '../db/uuid.ts';
import { outcomeOf, STATE_OF } from '../domain/action.ts';
import { type Decision, decide } from '../domain/decision/decide.ts';
import { renderSummary } from '../domain/decision/summary.ts';
import type { DecisionRequest, Outcome } from '../domain/decision.ts';
import { canonical, canonicalList, saltedTextDigest } from '../domain/digest.ts';
import { durationMs } from '../domain/duration.ts';
import { namedKeys, nameKey } from '../domain/naming.ts';
import { BEGIN_WITHIN } from '../domain/release.ts';
import { normalSubject } from '../domain/subject.ts';
import type { AgentWorld } from '../enforcement/world.ts';
import { AppError } from '../errors.ts';
import { countsOf } from '../outcomes/event.ts';
import { type ActionRow, actionById } from '../records/action.ts';
import { type AskDraft, actionOf, rowOf } from '../records/ask-row.ts';
import type { Written } from '../records/ask-writer.ts';
import { dayOf, stepOf } from '../records/rollout.ts';
import { isNewVersion, noteAgentVersion } from '../rollouts/agent-version.ts';
import type { Services } from '../services.ts';
import { isSurplus } from '../subjects/surplus.ts';
import { TOKEN_OVER } from '../tokens/tokens.ts';
import { Turns } from '../turns.ts';
import { addBehind } from './add-behind.ts';
import { atOnceOf } from './begin-at-once.ts';
import { otherQuestion, questionDigest } from './same-question.ts';

const ROUNDS_MAX = 8;
/** An allowed write that nobody begins is void after this. */
const ALLOWED_VALID_MS = durationMs(BEGIN_WITHIN);

/** What an agent asks. `context` is its own claim; trusted attributes come by token or signed `assertion`. */
export interface AskInput {
  agent: string;
  agentVersion: string;
  tool: string;
  args: Readonly<Record<string, unknown>>;
  context: Readonly<Record<string, unknown>>;
  assertion?: string;
  subject: string;
  reason?: string;
  /** Who prompted it, drives the agent or is acted for: a person's id, e-mail or Slack account. They may not approve. */
  behind: readonly string[];
  links: readonly string[];
  idempotencyKey: string;
  /** To begin it in the same moment, if the policy lets it pass; its own id unless one is given. */
  begin?: { executionId?: string | undefined } | undefined;
}

/** The recorded answer. `recorded: 'after'` means the entry follows within a second. */
export interface Asked {
  action: ActionRow;
  outcome: Outcome;
  recorded: 'before' | 'after';
  repeated: boolean;
  /** Of a write that began in the same moment. */
  credential?: IssuedCredential | undefined;
}

/**
 * Asks before a tool is used: decides in memory, records action, log entry and outbox entry in one transaction, and
 * only then answers. The same idempotency key gives the same action, whichever build of the agent repeats the question and
 * with whatever attributes: it stays as it was decided first.
 * @throws AppError `forbidden`, `unknown_agent`, `idempotency_conflict`, `store_down`
 */
export async function askAction(services: Services, actor: Actor, input: AskInput): Promise<Asked> {
  requireRole(actor, ['agent'], input.agent);
  // What is done with large arguments takes several turns of the thread, so that others have theirs.
  const turns = new Turns();
  const vouched = await verifyAssertion(services, input.agent, input.assertion);
  const attributes = { ...actor.attributes, ...vouched.attributes };
  const about = vouched.sub ?? normalSubject(input.subject);
  const argsText = canonical(input.args);
  const tool = canonical(input.tool);
  const said: Said = {
    argsText,
    requestDigest: questionDigest(services.keys, {
      tool,
      args: argsText,
      subject: canonical(about),
      context: canonical(input.context),
    }),
    sameDigest: services.keys.hmac(canonicalList([canonical(input.agent), tool, argsText])),
  };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    await turns.next();
    const world = await currentWorld(services, input.agent);
    const request = { ...input, claimed: input.context, attributes, vouched: vouched.sub };
    const decided = await decideAsked(services, request, world);
    const subject = decided.subject?.name ?? input.subject;
    const decision = await unlessDeniedBefore(services, decided, { ...said, agent: input.agent, subject });
    await turns.next();
    const draft = draftOf(services, actor, input, attributes, world, decision, said);
    const joins =
      world.rollout && isNewVersion(world.rollout, input.agentVersion) ? world.rollout : undefined;
    // A new build is noted first: what it may do can change by it.
    const begin = input.begin && !joins ? atOnceOf(services, draft, input.begin.executionId) : undefined;
    const written = await record(services, { ...draft, atOnce: begin?.atOnce }, subject);
    if (written.status === 'after')
      return { action: written.action, outcome: 'allowed', recorded: 'after', repeated: false };
    if (written.status === 'asked' || written.status === 'known') {
      if (draft.state === 'pending') services.wake();
      const repeated = written.status === 'known';
      const atWork = !repeated && decision.outcome !== 'denied' && actor.via !== 'cli';
      if (joins && atWork) await noteAgentVersion(services, joins, input.agentVersion);
      const action = repeated ? await addBehind(services, actor, written.id, input.behind) : written.action;
      const credential = repeated ? undefined : begin?.credential;
      return { action, outcome: outcomeOf(action), recorded: 'before', repeated, credential };
    }
    if (written.status === 'conflict') {
      const { request_digest } = await actionById(services.db.sql, written.id);
      throw otherQuestion(input.idempotencyKey, written.id, request_digest, said.requestDigest);
    }
    if (written.status === 'unauthenticated') throw new AppError('unauthenticated', TOKEN_OVER);
    if (written.status === 'subject') services.asks.forgetSubject(input.agent, subject);
    else await services.worlds.forget(input.agent, world.epoch);
  }
  const meanwhile = `what is in force changed ${ROUNDS_MAX} times meanwhile`;
  throw new AppError('conflict', `Cannot record the question: ${meanwhile}`);
}

/** Writes it; with the store down, a read that may be recorded afterwards is answered from memory. */
async function record(
  services: Services,
  draft: AskDraft,
  subject: string,
): Promise<(Written | { status: 'after' }) & { action: ActionRow }> {
  try {
    const row = rowOf(draft, await services.asks.subject(draft.agent, subject));
    return { ...(await services.asks.write(row)), action: actionOf(row) };
  } catch (error) {
    const action = isStoreDown(error) ? services.after?.answer(draft, subject) : undefined;
    if (!action) throw error;
    return { status: 'after', action };
  }
}

/**
 * Only what would be asked of people is looked up in their standing approvals, and only what the agent itself says to be
 * about somebody new in the rate of such: whatever else is decided in memory.
 */
async function decideAsked(
  services: Services,
  asked: DecisionRequest,
  agentWorld: AgentWorld,
): Promise<Decision> {
  const { db, clock } = services;
  const { world } = agentWorld;
  const first = decide(asked, world);
  const surplus = await isSurplus(services, agentWorld, first);
  const request = surplus ? { ...asked, surplus } : asked;
  const decision = surplus ? decide(request, world) : first;
  if (decision.outcome !== 'pending' || decision.approval?.standing !== 'allowed') return decision;
  const standings = await liveStandings(db.sql, world.agent.agent.agent, request.tool, clock.now());
  return standings.length === 0 ? decision : decide(request, { ...world, standings });
}

async function currentWorld(services: Services, agent: string): Promise<AgentWorld> {
  const world = await services.worlds.get(agent);
  if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  return world;
}

/** What was asked, written once: to write large arguments takes long. */
interface Said {
  argsText: string;
  requestDigest: string;
  sameDigest: string;
}

function draftOf(
  services: Services,
  actor: Actor,
  input: AskInput,
  attributes: Readonly<Record<string, unknown>>,
  { agent, world, rollout, epoch }: AgentWorld,
  decision: Decision,
  { argsText, requestDigest, sameDigest }: Said,
): AskDraft {
  const now = services.clock.now();
  const tool = world.agent.tools.get(input.tool);
  const write = tool?.write ?? true;
  const state = STATE_OF[decision.outcome];
  const salt = newSalt();
  const argsDigest = saltedTextDigest(salt, argsText);
  const inRollout = rollout !== undefined && decision.rolloutId === rollout.id;
  const decidedBy = state === 'pending' ? null : decision.standing ? 'person' : 'policy';
  const day = inRollout ? dayOf(rollout, now) : null;
  const counts =
    inRollout && write && state !== 'denied'
      ? countsOf(agent.metrics, { tool: input.tool, decided_by: decidedBy })
      : {};
  const { expires_at, remind_at, decided_at } = timesOf(services, decision, write, now);
  // Each by its name: an object that begins with another's members is a slow one to make and to read.
  return {
    expires_at,
    remind_at,
    decided_at,
    id: newId(now),
    agent: input.agent,
    idempotency_key: input.idempotencyKey,
    request_digest: requestDigest,
    same_digest: sameDigest,
    agent_version: input.agentVersion,
    tool: input.tool,
    kind: write ? 'write' : 'read',
    segment: decision.segment,
    arm: decision.arm,
    release: decision.release ?? null,
    rollout_id: decision.rolloutId ?? null,
    generation: decision.generation ?? null,
    bucket: decision.bucket ?? null,
    phase: inRollout ? stepOf(rollout).phase : null,
    event_day: day,
    epoch,
    grant_name: decision.grant?.name ?? null,
    state,
    decided_by: decidedBy,
    revision: 1,
    reasons: decision.reasons,
    args_digest: argsDigest,
    summary: tool ? renderSummary(tool, input.args) : `Use ${[...input.tool].slice(0, 64).join('')}`,
    why: input.reason ?? null,
    behind: [...input.behind],
    behind_keys: namedKeys(input.behind),
    links: [...input.links],
    redact: [...(tool?.tool.redact ?? [])],
    approval: decision.approval ?? null,
    credential: credentialSpec(agent, input.tool, decision.grant),
    limits: decision.grant?.limits ?? {},
    asked_at: now,
    asked_by: actor.id,
    asked_by_key: nameKey(actor.id),
    round: 0,
    stage: 0,
    stage_opened_at: decision.approval ? now : null,
    card_version: 1,
    routed: [],
    risk: decision.risk,
    reminders: 0,
    reach: null,
    standing_id: decision.standing ?? null,
    standing_wish: null,
    break_glass: false,
    reviewed_by: null,
    reviewed_at: null,
    review: null,
    earned: decision.earned ?? false,
    attributes: canonical(attributes),
    args: tool ? argsText : canonical({}),
    context: canonical(input.context),
    salt,
    counts,
    token: actor.token?.id ?? null,
    token_epoch: actor.token?.epoch ?? null,
    recordAfter: decision.grant?.record === 'after' && !write && state === 'approved',
    entry: {
      // The name of one that nobody declared is the agent's own words, and those are for no log.
      tool: tool ? input.tool : null,
      agentVersion: input.agentVersion,
      outcome: decision.outcome,
      reasons: decision.reasons.map((reason) => reason.code),
      segment: decision.segment,
      arm: decision.arm,
      release: decision.release ?? null,
      rollout: decision.rolloutId ?? null,
      // With the subject's digest and the outcomes, what it takes to count the evidence again.
      ...(Object.keys(counts).length > 0 ? { generation: decision.generation ?? null, day, counts } : {}),
      grant: decision.grant?.name ?? null,
      epoch,
      risk: decision.risk,
      subjectBy: decision.subject?.by ?? null,
      ...(decision.surplus ? { surplus: true } : {}),
      ...(decision.standing ? { standingApproval: decision.standing } : {}),
      argsDigest,
      identity: actor.identity,
    },
  };
}

function timesOf(services: Services, { outcome, approval }: Decision, write: boolean, now: Date) {
  const later = (ms: number) => new Date(now.getTime() + ms);
  if (outcome === 'pending' && approval) {
    const expiresMs = durationMs(approval.expiresIn, services.dayMs);
    const remindMs = approval.remindAfter ? durationMs(approval.remindAfter, services.dayMs) : expiresMs / 2;
    return { expires_at: later(expiresMs), remind_at: later(remindMs), decided_at: null };
  }
  return {
    expires_at: outcome === 'allowed' && write ? later(ALLOWED_VALID_MS) : null,
    remind_at: null,
    decided_at: now,
  };
}
