import { type Agent, toolOf } from '../agent.ts';
import type { Release } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { openPlace } from '../schema/open.ts';
import { unaskedWrites } from './check-release.ts';

/** What a release lets run unasked although the schema lets members through that nobody declared, one line a tool. */
export function openWrites(release: Release, agent: Agent): string[] {
  const unasked = new Set(release.grants.flatMap((grant) => unaskedWrites(grant, agent)));
  return [...unasked].flatMap((name) => {
    const open = openPlace(toolOf(agent, name)?.args as JsonSchema);
    if (open === undefined) return [];
    return [
      `The schema of ${name} is open at ${open}: unasked it runs with declared members only. ` +
        'Write additionalProperties: false there, or declare what else may be sent',
    ];
  });
}
