import { type Agent, DEFAULT_SEGMENT, isWrite, RISKS, type Tool } from '../agent.ts';
import { type ConditionValues, compileCondition, type Truth } from '../cel/cel.ts';
import type { ConditionScope } from '../cel/scope.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import { approvalOf, type Grant, type Release, rulesOf, toolsOf, unlessOf } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { type Validator, validatorFor } from '../schema/schema.ts';
import { subjectSource } from '../subject.ts';
import type {
  CompiledAgent,
  CompiledGrant,
  CompiledRelease,
  CompiledSegment,
  CompiledTool,
} from './compiled.ts';
import { segmentFinder } from './find-segment.ts';
import { redactionsOf } from './redact.ts';

/**
 * Compiles what a checked agent needs to decide. Never throws: what does not compile fails closed, a schema by
 * refusing every argument, a condition by erring on every request.
 */
export function compileAgent(agent: Agent): CompiledAgent {
  const lists = listsOf(agent);
  const validators = new Map<string, Validator>();
  const tools = Object.entries(agent.tools).map(([name, tool]): [string, CompiledTool] => [
    name,
    {
      name,
      tool,
      write: isWrite(tool),
      args: sharedValidator(tool.args as JsonSchema, validators),
      redactions: redactionsOf(tool),
      riskOf: riskOf(tool, lists),
    },
  ]);
  const segments = agent.segments.map(({ name, representative, subject }) => ({
    name,
    representative,
    ...(subject !== undefined && { subject: subjectSource(subject) }),
  }));
  const last: CompiledSegment = { name: DEFAULT_SEGMENT, representative: true };
  const conditions = agent.segments.map(({ when }) => when);
  return {
    agent,
    attributes: Object.entries(agent.attributes),
    tools: new Map(tools),
    segments: [...segments, last],
    segmentOf: segmentFinder(segments, conditions, last, { attributes: agent.attributes, lists }),
  };
}

/** Tools that take the same arguments are checked by one validator: it is compiled once, and stays in the cache. */
function sharedValidator(schema: JsonSchema, validators: Map<string, Validator>): Validator {
  const text = JSON.stringify(schema);
  const validator = validators.get(text) ?? validatorFor(schema);
  validators.set(text, validator);
  return validator;
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
  if (tool.risks === undefined) return () => tool.risk;
  const raises = tool.risks.map(({ when, risk }) => ({
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
  const name = grantName(grant, index, tool);
  const compiled: CompiledGrant = { name, index, grant: { ...grant, name }, rules };
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
