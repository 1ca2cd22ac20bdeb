import type { Agent } from '../agent.ts';
import { type ASTNode, childrenOf, comprehensionOf, selectedName } from '../cel/ast.ts';
import { checkExpression } from '../cel/cel.ts';
import { celScope } from '../cel/types.ts';
import { listsOf } from '../lists.ts';
import { type Release, rulesOf, toolsOf, unlessOf } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';

/** What the conditions of a release read of one request: `args.amount`, `context.tier`; only a member and what is below it. */
export function readSetOf(agent: Agent, release: Release, tool: string): ReadonlySet<string> {
  const found = new Set<string>();
  const args = agent.tools[tool]?.args as JsonSchema | undefined;
  const scope = (lists: ReturnType<typeof listsOf>) =>
    celScope({ args: args ?? {}, attributes: agent.attributes, lists });
  const grants = release.grants.filter((grant) => toolsOf(grant).includes(tool));
  for (const grant of grants)
    for (const source of [grant.when, unlessOf(grant), ...rulesOf(grant).map(({ when }) => when)])
      collect(source, scope(listsOf(release)), found);
  for (const { when } of agent.tools[tool]?.risks ?? []) collect(when, scope(listsOf(agent)), found);
  for (const { when } of agent.segments) collect(when, scope(listsOf(agent)), found);
  return found;
}

function collect(source: string | undefined, scope: ReturnType<typeof celScope>, into: Set<string>): void {
  if (source === undefined) return;
  try {
    walk(checkExpression(source, scope).ast, into);
  } catch {
    // What does not parse reads nothing; the release was checked.
  }
}

function walk(node: ASTNode, into: Set<string>): void {
  const path = pathOf(node);
  if (path !== undefined) into.add(path);
  const walked = comprehensionOf(node);
  const below = walked ? [walked.receiver, ...walked.body] : childrenOf(node);
  for (const child of below) walk(child, into);
}

/** `args.a.b` of a chain of names; undefined for anything else. */
function pathOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return ['args', 'context', 'subject'].includes(node.args) ? node.args : undefined;
  const selected = selectedName(node);
  if (selected === undefined) return undefined;
  const above = pathOf(selected.from);
  return above === undefined ? undefined : `${above}.${selected.name}`;
}
