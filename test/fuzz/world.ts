import { randomUUID } from 'node:crypto';
import { ROLES, type Role } from '../../src/actor.ts';
import { AGENT_YAML, RELEASE_2_YAML, RELEASE_YAML } from '../support/fixtures.ts';

const AGENT = 'desk';
const PEOPLE: Readonly<Partial<Record<Role, string>>> = {
  approver: 'ana',
  'release-manager': 'olga',
  'on-call': 'cleo',
  admin: 'ben',
};

/** One request that must succeed; a text goes as YAML, anything else as JSON. @throws Error with the answer */
export type Send = (line: string, body?: unknown) => Promise<Record<string, unknown>>;

/** Names and ids that are there: a request must name one to get past "there is none". */
export interface Known {
  agents: string[];
  people: string[];
  tools: string[];
  groups: string[];
  releases: string[];
  actions: string[];
  /** Of the arguments of actions that wait. */
  digests: string[];
  rollouts: string[];
  /** That nobody uses. */
  tokens: string[];
}

export interface World {
  /** A new token. */
  tokenFor(roles: readonly Role[]): Promise<string>;
  /** Puts back what a caller took away: switches, what waits, a rollout. Answers what there is now. */
  restore(): Promise<Known>;
}

export function sender(url: string, token: string): Send {
  return async (line, body) => {
    const [method, path] = line.split(' ');
    const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${line} answers ${response.status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
}

/** An agent with one release in force, another one that may be rolled out, and a token for every role. */
export async function givenWorld(url: string, local: Send): Promise<World> {
  await local(`PUT /v1/agents/${AGENT}`, AGENT_YAML);
  await local(`POST /v1/agents/${AGENT}/releases`, RELEASE_YAML);
  await local(`POST /v1/agents/${AGENT}/releases/1/adopt`, { reason: 'The first one' });
  await local(`POST /v1/agents/${AGENT}/releases`, RELEASE_2_YAML);
  const tokenFor = async (roles: readonly Role[]) => {
    const person = roles.map((role) => PEOPLE[role]).find((one) => one !== undefined);
    const bound = roles.includes('agent') ? { agent: AGENT, attributes: { tier: 'gold' } } : {};
    const { token } = await local('POST /v1/tokens', { roles, ...bound, ...(person && { person }) });
    return String(token);
  };
  const spareToken = async () => String((await local('POST /v1/tokens', { roles: ['auditor'] })).id);
  const made = ROLES.map(async (role) => [role, sender(url, await tokenFor([role]))] as const);
  const senders = Object.fromEntries(await Promise.all(made)) as Record<Role, Send>;
  return { tokenFor, restore: () => restore((role) => senders[role], spareToken) };
}

type As = (role: Role) => Send;

async function restore(as: As, spareToken: () => Promise<string>): Promise<Known> {
  await enableAll(as);
  await as('release-manager')('POST /v1/rollouts', {
    agent: AGENT,
    release: '2',
    reason: 'To be steered',
    noneYet: 'Nothing went wrong here',
  }).catch(
    () => undefined, // one is open
  );
  const { rollouts } = (await as('auditor')('GET /v1/rollouts')) as { rollouts: { id: string }[] };
  const actions: { id: string; digest: string }[] = [];
  for (const steps of [[], [], ['approve'], ['approve', 'begin'], ['deny']] as const)
    actions.push(await givenAction(as, steps));
  return {
    agents: [AGENT],
    people: ['olga', 'ana', 'ben', 'cleo'],
    tools: ['lookup', 'cancel', 'refund'],
    groups: ['desk'],
    releases: ['1', '2'],
    actions: actions.map(({ id }) => id),
    digests: actions.slice(0, 2).map(({ digest }) => digest),
    rollouts: rollouts.slice(0, 2).map(({ id }) => id),
    tokens: [await spareToken(), await spareToken()],
  };
}

/** `everything` takes two people. */
async function enableAll(as: As): Promise<void> {
  const { switches } = (await as('auditor')('GET /v1/switches')) as { switches: { scope: string }[] };
  for (const { scope } of switches)
    for (const role of ['on-call', 'release-manager'] as const)
      await as(role)(`PUT /v1/switches/${scope}`, { disabled: false, reason: 'The next caller needs it' });
}

async function givenAction(
  as: As,
  steps: readonly ('approve' | 'deny' | 'begin')[],
): Promise<{ id: string; digest: string }> {
  const { id, argsDigest } = await as('agent')('POST /v1/actions', {
    agentVersion: '1',
    tool: 'cancel',
    // Always another question: what people deny again and again is not asked any more.
    args: { id: randomUUID() },
    subject: 'guest-1',
    idempotencyKey: randomUUID(),
  });
  for (const step of steps) {
    if (step === 'begin') await as('agent')(`POST /v1/actions/${id}/begin`, { executionId: 'e-1' });
    else
      await as('approver')(`POST /v1/actions/${id}/decisions`, {
        verdict: step,
        ...(step === 'approve' && { digest: argsDigest }),
      });
  }
  return { id: String(id), digest: String(argsDigest) };
}
