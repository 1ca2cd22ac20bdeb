import type { Tool } from '../agent.ts';
import type { CheckProblem, ManifestPath } from '../problem.ts';
import { sentence } from '../problem.ts';
import type { SchemaProblem } from '../schema/check.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { schemaAt } from '../schema/paths.ts';
import { schemaProblems } from '../schema/schema.ts';

/** What the schema of a tool's arguments gets wrong, and the paths that are redacted in it. */
export function checkArgs(name: string, tool: Tool): CheckProblem[] {
  const path = ['tools', name];
  const schema = tool.args as JsonSchema;
  const problems = schemaProblems(schema).map((problem) => within([...path, 'args'], problem));
  if (problems.length === 0 && schema.type !== undefined && schema.type !== 'object')
    problems.push({
      path: [...path, 'args', 'type'],
      message: 'Arguments are an object',
      hint: 'Write type: object',
    });
  tool.redact.forEach((entry, at) => {
    const found = schemaAt(schema, entry);
    if (found.found) return;
    const message = `"${entry}" leads nowhere in the args of "${name}"`;
    problems.push({ path: [...path, 'redact', at], message, hint: sentence(found.hint) });
  });
  return problems;
}

const within = (above: ManifestPath, { path, ...rest }: SchemaProblem): CheckProblem => ({
  ...rest,
  path: [...above, ...path],
});
