import type { CredentialSpec } from '../db/tables-action.ts';
import type { Agent } from '../domain/agent.ts';
import type { NamedGrant } from '../domain/decision/compiled.ts';
import { describeCredential } from '../domain/decision/credential.ts';

/** What is minted when a tool is used under a grant; `null` where nothing is granted. */
export const credentialSpec = (
  agent: Pick<Agent, 'agent' | 'tools'>,
  tool: string,
  grant: NamedGrant | undefined,
): CredentialSpec | null => describeCredential(agent, tool, grant);
