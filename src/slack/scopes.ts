import { createHash } from 'node:crypto';
import { LIMITS } from '../cards/blocks/limits.ts';
import type { Agent } from '../domain/agent.ts';
import { scopeText } from '../domain/scope.ts';
import type { ScopeChoice } from './modals.ts';

/** A scope as an option's value: itself, or a digest where it is too long for one. */
export const scopeKey = (scope: string): string =>
  scope.length <= LIMITS.optionValue ? scope : createHash('sha256').update(scope).digest('hex').slice(0, 32);

/** Everything a person may choose to switch off: all, each agent, each of its tools. */
export function scopeChoices(agents: readonly Agent[]): ScopeChoice[] {
  const perAgent = agents.map(({ agent }) => ({ scope: scopeText({ agent }), label: `Agent ${agent}` }));
  const perTool = agents.flatMap(({ agent, tools }) =>
    Object.keys(tools).map((tool) => ({ scope: scopeText({ agent, tool }), label: `${tool} of ${agent}` })),
  );
  return [{ scope: scopeText({}), label: 'Everything' }, ...perAgent, ...perTool];
}
