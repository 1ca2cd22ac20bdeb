import { type Agent, DEFAULT_SEGMENT, isWrite, RISKS, type Tool } from '../agent.ts';
import { type ConditionValues, compileCondition, type Truth } from '../cel/cel.ts';
import type { ConditionScope } from '../cel/scope.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import { approvalOf, type Grant, type Release, rulesOf, toolsOf, unlessOf } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { validatorFor } from '../schema/schema.ts';
import { subjectSource } from '../subject.ts';
import type {
  CompiledAgent,
  CompiledGrant,
  CompiledRelease,
  CompiledSegment,
  CompiledTool,
} from './compiled.ts';
import { redactionsOf } from './redact.ts';

/**
 * Compiles what a checked agent needs to decide. Never throws: what does not compile fails closed, a schema by
 * refusing every argument, a condition by erring on every request.
 */
export function compileAgent(agent: Agent): CompiledAgent {
  const tools = Object.entries(agent.tools).map(([name, tool]): [string, CompiledTool] => {
    return [
      name,
      {
        name,
        tool,
        write: isWrite(tool),
        args: validatorFor(tool.args as JsonSchema),
        redactions: redactionsOf(tool),
        riskOf: riskOf(tool, listsOf(agent)),
      },
    ];
  });
  const lists = listsOf(agent);
  const segments = agent.segments.map(({ name, representative, when, subject }) => ({
    name,
    representative,
    ...(subject !== undefined && { subject: subjectSource(subject) }),
    matches: matcherOf(when, { attributes: agent.attributes, lists }),
  }));
  const last: CompiledSegment = { name: DEFAULT_SEGMENT, representative: true, matches: () => 'true' };
  return { agent, tools: new Map(tools), segments: [...segments, last] };
}

/** Compiles a checked release against its agent. Never throws; a condition that does not compile errs always. */
export function compileRelease(release: Release, agent: Agent): CompiledRelease {
  const grants = new Map<string, CompiledGrant[]>();
  const lists = listsOf(release);
  release.grants.forEach((grant, index) => {
    for (const tool of new Set(toolsOf(grant))) {
      const list = grants.get(tool) ?? [];
      list.push(compileGrant(grant, index, tool, agent, lists));
      grants.set(tool, list);
    }
  });
  return { release, version: release.release, grants };
}

function riskOf(tool: Tool, lists: NamedLists): CompiledTool['riskOf'] {
  const raises = (tool.risks ?? []).map(({ when, risk }) => ({
    risk,
    matches: matcherOf(when, { args: tool.args as JsonSchema, attributes: {}, lists }),
  }));
  return (args, meter) => {
    const truths = raises.map(({ risk, matches }) => ({
      risk,
      truth: matches({ args, context: {}, meter }),
    }));
    const raised = truths.map(({ risk, truth }) =>
      truth === 'error' ? 'high' : truth === 'true' ? risk : 'low',
    );
    return [tool.risk, ...raised].reduce((most, next) =>
      RISKS.indexOf(next) > RISKS.indexOf(most) ? next : most,
    );
  };
}

function compileGrant(
  grant: Grant,
  index: number,
  tool: string,
  agent: Agent,
  lists: NamedLists,
): CompiledGrant {
  const args = Object.hasOwn(agent.tools, tool) ? (agent.tools[tool]?.args as JsonSchema) : {};
  const scope = { args, attributes: agent.attributes, lists };
  const rules = rulesOf(grant).map((rule) => ({
    rule,
    matches: matcherOf(rule.when, scope),
  }));
  const compiled: CompiledGrant = { name: grantName(grant, index, tool), index, grant, rules };
  if (grant.when !== undefined) compiled.matches = matcherOf(grant.when, scope);
  const approval = approvalOf(grant);
  if (approval !== undefined) compiled.approval = approval;
  const unless = unlessOf(grant);
  if (unless !== undefined) compiled.unless = matcherOf(unless, scope);
  return compiled;
}

/** A grant's own name, else the tool and the grant's number in the release, counted from 1. */
export const grantName = (grant: Pick<Grant, 'name'>, index: number, tool: string): string =>
  grant.name ?? `${tool}-${index + 1}`;

/** Compiled when it is first asked: an agent may have thousands of tools of which few are used. */
function matcherOf(source: string, scope: ConditionScope): (values: ConditionValues) => Truth {
  let evaluate: ((values: ConditionValues) => Truth) | undefined;
  return (values) => {
    evaluate ??= evaluateOf(source, scope);
    return evaluate(values);
  };
}

function evaluateOf(source: string, scope: ConditionScope): (values: ConditionValues) => Truth {
  const condition = compileCondition(source, scope);
  return condition.ok ? condition.evaluate : () => 'error';
}
