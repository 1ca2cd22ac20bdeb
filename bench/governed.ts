import { randomUUID } from 'node:crypto';
import type { Actor, Role } from '../src/actor.ts';
import { applyAgent } from '../src/agents/apply.ts';
import { readManifest } from '../src/domain/manifest/manifest.ts';
import { adoptRelease } from '../src/releases/adopt.ts';
import { createRelease } from '../src/releases/create.ts';
import type { Portcullis } from '../src/server.ts';
import { insertToken } from '../src/tokens/tokens.ts';

const AGENT = `agent: bench
people: { olga: {}, ana: { slack: U0ANA/T0FAKE } }
owners: [olga]
approvers: { desk: [ana] }
slack: { channel: '#approvals' }
tools:
  lookup: { kind: read }
  cancel: { kind: write, summary: "Cancel {id}", scopes: [c], args: { type: object, properties: { id: { type: string } } } }
`;
const RELEASE = `agent: bench
release: 1
grants: [{ tool: lookup }, { tool: cancel, approval: desk }]
`;

/** What the bench does through the HTTP API, as an agent and an approver would. */
export interface Governed {
  /** Ask, approve, begin, complete: one governed write, returning its action id. */
  write(): Promise<string>;
  /** Ask for a write that waits for a person, with a card in Slack. */
  ask(): Promise<string>;
  /** The same of an agent without a channel: answered on page, CLI and API. */
  askQuietly(): Promise<string>;
  /** Approve what `askQuietly` asked. */
  approve(id: string): Promise<void>;
  agentHeaders: Record<string, string>;
}

const QUIET_AGENT = AGENT.replace('agent: bench', 'agent: quiet').replace(/^slack: .*\n/m, '');
const QUIET_RELEASE = RELEASE.replace('agent: bench', 'agent: quiet');

/** Applies the bench's agents and makes their tokens. */
export async function givenGoverned({ services, url }: Portcullis): Promise<Governed> {
  const manager: Actor = {
    id: 'olga',
    person: 'olga',
    roles: ['release-manager'],
    via: 'api',
    identity: 'bench',
    attributes: {},
  };
  for (const [agentYaml, releaseYaml] of [
    [AGENT, RELEASE],
    [QUIET_AGENT, QUIET_RELEASE],
  ] as const) {
    const agent = readManifest('agent.yaml', agentYaml, 'agent');
    if (!agent.ok) throw new Error(JSON.stringify(agent.problems));
    const release = readManifest('release.yaml', releaseYaml, 'release', agent.value);
    if (!release.ok) throw new Error(JSON.stringify(release.problems));
    await applyAgent(services, manager, agent.value);
    await createRelease(services, manager, release.value);
    await adoptRelease(services, manager, { agent: agent.value.agent, version: '1', reason: 'bench' });
  }
  const headersOf = async (roles: Role[], person?: string, agent = 'bench') => {
    const { token } = await insertToken(services.db.sql, services.clock.now(), 'bench', {
      roles,
      agent,
      person,
    });
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  };
  const agentHeaders = await headersOf(['agent']);
  const approverHeaders = await headersOf(['approver'], 'ana');
  const quietHeaders = await headersOf(['agent'], undefined, 'quiet');
  const quietApproverHeaders = await headersOf(['approver'], 'ana', 'quiet');
  const digests = new Map<string, string>();
  const post = async (path: string, headers: Record<string, string>, body: object) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as { id: string; argsDigest: string };
    if (!response.ok) throw new Error(`${path} ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const askOnce = (headers = agentHeaders) =>
    post('/v1/actions', headers, {
      agentVersion: '1',
      tool: 'cancel',
      args: { id: 'R-1' },
      subject: 'conversation-1',
      idempotencyKey: randomUUID(),
    });
  return {
    agentHeaders,
    ask: async () => (await askOnce()).id,
    async askQuietly() {
      const { id, argsDigest } = await askOnce(quietHeaders);
      digests.set(id, argsDigest);
      return id;
    },
    async approve(id) {
      const body = { verdict: 'approve', digest: digests.get(id) };
      await post(`/v1/actions/${id}/decisions`, quietApproverHeaders, body);
    },
    async write() {
      const { id, argsDigest } = await askOnce();
      await post(`/v1/actions/${id}/decisions`, approverHeaders, { verdict: 'approve', digest: argsDigest });
      await post(`/v1/actions/${id}/begin`, agentHeaders, { executionId: id });
      await post(`/v1/actions/${id}/complete`, agentHeaders, { executionId: id, ok: true });
      return id;
    },
  };
}
