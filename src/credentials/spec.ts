import type { CredentialSpec } from '../db/tables-action.ts';
import { type Agent, toolOf } from '../domain/agent.ts';
import type { NamedGrant } from '../domain/decision/compiled.ts';
import { durationMs } from '../domain/duration.ts';

/** What is minted when a tool is used under a grant; `null` where nothing is granted. */
export function credentialSpec(
  agent: Pick<Agent, 'agent' | 'tools'>,
  tool: string,
  grant: NamedGrant | undefined,
): CredentialSpec | null {
  if (!grant || grant.deny !== undefined) return null;
  const known = toolOf(agent, tool);
  return {
    scopes: [...(grant.credential.scopes ?? known?.scopes ?? [])],
    audience: known?.audience ?? agent.agent,
    ttlMs: durationMs(grant.credential.ttl),
  };
}
