import { type Agent, DEFAULT_SEGMENT, isWrite, RISKS, type Risk, type Tool } from '../agent.ts';
import { type ConditionScope, type ConditionValues, compileCondition, type Truth } from '../cel/cel.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import {
  type ApprovalPolicy,
  type ApprovalRule,
  approvalOf,
  type Grant,
  type Release,
  rulesOf,
  toolsOf,
  unlessOf,
} from '../release.ts';
import type { Meter } from '../schema/meter.ts';
import { type JsonSchema, type Validator, validatorFor } from '../schema/schema.ts';
import { type SubjectSource, subjectSource } from '../subject.ts';
import { type RedactStep, redactionsOf } from './redact.ts';

export { REDACTED, redact } from './redact.ts';

/** A tool ready for deciding. */
export interface CompiledTool {
  name: string;
  tool: Tool;
  write: boolean;
  /** Whether arguments fit, and what they hold that the schema does not declare; in words without values. */
  args: Validator;
  redactions: readonly (readonly RedactStep[])[];
  /** The highest of the tool's risk and those of its conditions that match; a condition that errs means high. */
  riskOf(args: Readonly<Record<string, unknown>>, meter?: Meter): Risk;
}

/** A segment ready for deciding. */
export interface CompiledSegment {
  name: string;
  representative: boolean;
  /** Where its subjects come from, if the segment says so. */
  subject?: SubjectSource;
  matches(values: ConditionValues): Truth;
}

/** An agent whose schemas and conditions are compiled once; `segments` ends with `default`, which always matches. */
export interface CompiledAgent {
  agent: Agent;
  tools: ReadonlyMap<string, CompiledTool>;
  segments: readonly CompiledSegment[];
}

/** One grant for one tool. */
export interface CompiledGrant {
  name: string;
  index: number;
  grant: Grant;
  /** `undefined` when the grant has no condition. */
  matches?: (values: ConditionValues) => Truth;
  approval?: ApprovalPolicy;
  /** Of a grant that asks: where it runs unasked all the same. */
  unless?: (values: ConditionValues) => Truth;
  rules: readonly CompiledRule[];
}

/** One rule of an approval. */
export interface CompiledRule {
  rule: ApprovalRule;
  matches(values: ConditionValues): Truth;
}

/** A release with its grants by tool, in the order of the manifest. */
export interface CompiledRelease {
  release: Release;
  version: string;
  grants: ReadonlyMap<string, readonly CompiledGrant[]>;
}

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

export { renderSummary } from './summary.ts';
