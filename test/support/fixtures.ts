import { randomUUID } from 'node:crypto';
import { type Asked, type AskInput, askAction } from '../../src/actions/ask.ts';
import { beginAction } from '../../src/actions/begin.ts';
import type { Actor, Role } from '../../src/actor.ts';
import { applyAgent } from '../../src/agents/apply.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import type { Agent } from '../../src/domain/agent.ts';
import { readManifest } from '../../src/domain/manifest/manifest.ts';
import { formatProblems } from '../../src/domain/problem.ts';
import type { Release } from '../../src/domain/release.ts';
import { type ActionRow, actionById } from '../../src/records/action.ts';
import { adoptRelease } from '../../src/releases/adopt.ts';
import { createRelease } from '../../src/releases/create.ts';
import type { Services } from '../../src/services.ts';
import { insertToken, type TokenRequest } from '../../src/tokens/tokens.ts';

/** One read, two writes, two segments; olga owns it, ana and ben approve. */
export const AGENT_YAML = `agent: desk
people: { olga: { name: Olga }, ana: { name: Ana }, ben: { name: Ben }, cleo: { name: Cleo } }
owners: [olga]
onCall: [cleo]
approvers: { desk: [ana, ben] }
attributes: { tier: string }
segments:
  - { name: gold, when: 'context.tier == "gold"' }
metrics:
  wrong: { unit: conversation, business: workload, corrections: true, denials: true }
tools:
  lookup: { kind: read, scopes: ["order:read"] }
  cancel:
    kind: write
    reversibility: compensable
    undo: Book it again under the same number
    consequence: The guest loses the room
    summary: "Cancel order {id}"
    scopes: ["order:cancel"]
    redact: [card]
    args:
      type: object
      required: [id]
      additionalProperties: false
      properties: { id: { type: string }, note: { type: string }, card: { type: string } }
  refund: { kind: write, args: { type: object, required: [amount], properties: { amount: { type: integer } } } }
`;

/** Reads run, writes ask: may be adopted. \`refund\` needs two people. */
export const RELEASE_YAML = `agent: desk
release: 1
grants:
  - { tool: lookup }
  - { tool: cancel, approval: desk }
  - { tool: refund, approval: { group: desk, quorum: 2, expiresIn: 2h } }
`;

/** A later release under which \`cancel\` runs unasked. */
export const RELEASE_2_YAML = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
  - { tool: refund, approval: { group: desk, quorum: 2, expiresIn: 2h } }
rollout: { asks: desk, signedOffBy: olga, guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }] }
`;

/** @throws Error with every problem of the manifest */
export function agentFrom(yaml: string): Agent {
  const read = readManifest('agent.yaml', yaml, 'agent');
  if (!read.ok) throw new Error(formatProblems(read.problems));
  return read.value;
}

/** @throws Error with every problem of the manifest */
export function releaseFrom(yaml: string, agent?: Agent): Release {
  const read = readManifest('release.yaml', yaml, 'release', agent);
  if (!read.ok) throw new Error(formatProblems(read.problems));
  return read.value;
}

/** An actor that needs no token; a string names a person. */
export function actorOf(roles: Role | readonly Role[], more: Partial<Actor> = {}): Actor {
  const list = typeof roles === 'string' ? [roles] : roles;
  return {
    id: more.person ?? `token ${list.join('+')}`,
    roles: list,
    via: 'api',
    identity: 'test',
    attributes: {},
    ...more,
  };
}

export const managerActor = (): Actor => actorOf('release-manager', { person: 'olga' });
export const approverActor = (person = 'ana'): Actor => actorOf('approver', { person });
export const onCallActor = (person = 'cleo'): Actor => actorOf('on-call', { person });
export const agentActor = (more: Partial<Actor> = {}): Actor =>
  actorOf('agent', { agent: 'desk', attributes: { tier: 'gold' }, ...more });

/** A stored token and the header that carries it. */
export interface GivenToken {
  id: string;
  token: string;
  headers: { authorization: string };
}

export async function givenToken(
  { db, clock }: Services,
  roles: Role | readonly Role[],
  more: Omit<TokenRequest, 'roles'> = {},
): Promise<GivenToken> {
  const list = typeof roles === 'string' ? [roles] : roles;
  const { id, token } = await insertToken(db.sql, clock.now(), 'test', { roles: list, ...more });
  return { id, token, headers: { authorization: `Bearer ${token}` } };
}

/** The agent is applied; no release yet. */
export async function givenAgent(services: Services, yaml = AGENT_YAML): Promise<Agent> {
  const agent = agentFrom(yaml);
  await applyAgent(services, managerActor(), agent);
  return agent;
}

/** The agent is applied and its first release is in force. */
export async function givenAdopted(
  services: Services,
  { agentYaml = AGENT_YAML, releaseYaml = RELEASE_YAML }: { agentYaml?: string; releaseYaml?: string } = {},
): Promise<{ agent: Agent; release: Release }> {
  const agent = await givenAgent(services, agentYaml);
  const release = await givenRelease(services, agent, releaseYaml);
  await adoptRelease(services, managerActor(), {
    agent: agent.agent,
    version: release.release,
    reason: 'first',
  });
  return { agent, release };
}

/** A stored release that is not in force yet. */
export async function givenRelease(services: Services, agent: Agent, yaml: string): Promise<Release> {
  const release = releaseFrom(yaml, agent);
  await createRelease(services, managerActor(), release);
  return release;
}

/** What an agent would ask; `more` replaces parts. */
export const askInput = ({ idempotencyKey = randomUUID(), ...more }: Partial<AskInput> = {}): AskInput => ({
  agent: 'desk',
  agentVersion: '1.0.0',
  tool: 'cancel',
  args: { id: 'R-1' },
  context: {},
  // Each question is about somebody else: what is denied of one says nothing of the next.
  subject: `guest of ${idempotencyKey}`,
  reason: 'The guest asked for it',
  behind: [],
  links: [],
  idempotencyKey,
  ...more,
});

export const givenAsked = (
  services: Services,
  more: Partial<AskInput> = {},
  actor = agentActor(),
): Promise<Asked> => askAction(services, actor, askInput(more));

export async function givenPendingAction(
  services: Services,
  more: Partial<AskInput> = {},
): Promise<ActionRow> {
  const { action } = await givenAsked(services, more);
  if (action.state !== 'pending')
    throw new Error(`the action is ${action.state}: ${JSON.stringify(action.reasons)}`);
  return action;
}

export async function givenApprovedAction(
  services: Services,
  more: Partial<AskInput> = {},
): Promise<ActionRow> {
  const { id } = await givenPendingAction(services, more);
  return (await answerAction(services, approverActor(), { id, verdict: 'approve' })).action;
}

/** Begun by execution `e-1` and not completed. */
export async function givenBegunAction(services: Services, more: Partial<AskInput> = {}): Promise<ActionRow> {
  const { id } = await givenApprovedAction(services, more);
  await beginAction(services, agentActor(), { id, executionId: 'e-1' });
  return actionById(services.db.sql, id);
}
