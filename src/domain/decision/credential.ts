import { type Agent, toolOf } from '../agent.ts';
import { durationMs } from '../duration.ts';
import type { NamedGrant } from './compiled.ts';

/** What a grant lets be minted: nothing is minted here. */
export interface DescribedCredential {
  scopes: string[];
  audience: string;
  ttlMs: number;
}

/** What would be minted when a tool is used under a grant; `null` where nothing is granted. Pure: no issuer is asked. */
export function describeCredential(
  agent: Pick<Agent, 'agent' | 'tools'>,
  tool: string,
  grant: NamedGrant | undefined,
): DescribedCredential | null {
  if (!grant || grant.deny !== undefined) return null;
  const known = toolOf(agent, tool);
  return {
    scopes: [...(grant.credential.scopes ?? known?.scopes ?? [])],
    audience: known?.audience ?? agent.agent,
    ttlMs: durationMs(grant.credential.ttl),
  };
}
