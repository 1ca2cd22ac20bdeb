import type { Agent } from './agent.ts';
import { approvalOf, type Grant, type Release, toolsOf } from './release.ts';

/** One line of what would change, for people. */
export interface Change {
  sign: '+' | '-' | '~';
  what: string;
  detail?: string;
}

interface ToolGrant {
  tool: string;
  grant: Grant;
  text: string;
}

const grantsOf = (release: Release): ToolGrant[] =>
  release.grants.flatMap((grant) =>
    toolsOf(grant).map((tool) => ({ tool, grant, text: JSON.stringify({ ...grant, tool, name: undefined }) })),
  );

/** What a release gives and takes against the one in force. */
export function diffReleases(before: Release | undefined, after: Release): Change[] {
  const old = before ? grantsOf(before) : [];
  const fresh = grantsOf(after);
  const added = fresh.filter(({ text }) => !old.some((grant) => grant.text === text));
  const removed = old.filter(({ text }) => !fresh.some((grant) => grant.text === text));
  return [
    ...removed.map(({ tool, grant }): Change => ({ sign: '-', what: `grant ${tool}`, detail: describeGrant(grant) })),
    ...added.map(({ tool, grant }): Change => ({ sign: '+', what: `grant ${tool}`, detail: describeGrant(grant) })),
  ];
}

/** Whether a release only takes away: every grant that lets something through stood in the one before. */
export const onlyTakesAway = (before: Release, after: Release): boolean => {
  const old = new Set(grantsOf(before).map(({ text }) => text));
  const keptDenials = grantsOf(before)
    .filter(({ grant }) => grant.deny !== undefined)
    .every(({ text }) => grantsOf(after).some((grant) => grant.text === text));
  return keptDenials && grantsOf(after).every(({ grant, text }) => grant.deny !== undefined || old.has(text));
};

/** "asks desk", "runs unasked when args.amount < 100", "denied: no refunds". */
export function describeGrant(grant: Grant): string {
  if (grant.deny !== undefined) return `denied${when(grant)}: ${grant.deny}`;
  const policy = approvalOf(grant);
  if (!policy) return `runs unasked${when(grant)}`;
  return `asks ${policy.quorum > 1 ? `${policy.quorum} of ` : ''}${policy.group}${when(grant)}`;
}

const when = (grant: Grant): string => (grant.when ? ` when ${grant.when.trim()}` : '');

/** What a new manifest changes for an agent, part by part. */
export function diffAgents(before: Agent | undefined, after: Agent): Change[] {
  const parts = ['people', 'approvers', 'tools', 'metrics', 'attributes'] as const;
  const changes = parts.flatMap((part) => diffRecords(part.replace(/s$/, ''), before?.[part] ?? {}, after[part]));
  const scalars = ['owners', 'onCall', 'deployers', 'testMode', 'slack', 'segments', 'webhook', 'assertions'] as const;
  for (const name of scalars) {
    const [old, fresh] = [JSON.stringify(before?.[name]), JSON.stringify(after[name])];
    if (old !== fresh && (fresh ?? '[]') !== '[]' && !(before === undefined && fresh === '{"matchEmail":false}')) {
      changes.push({ sign: before ? '~' : '+', what: name, detail: fresh });
    }
  }
  return changes;
}

function diffRecords(part: string, before: Record<string, unknown>, after: Record<string, unknown>): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): Change[] => {
    const [old, fresh] = [JSON.stringify(before[name]), JSON.stringify(after[name])];
    if (old === fresh) return [];
    return [{ sign: old === undefined ? '+' : fresh === undefined ? '-' : '~', what: `${part} ${name}` }];
  });
}
