import { type Agent, isWrite, toolOf } from '../agent.ts';
import { compileCondition } from '../cel/cel.ts';
import { grantName } from '../decision/compile.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import { approvalOf, type Grant, type Release, rulesOf, toolsOf, unlessOf } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { conditionProblems } from './check-agent.ts';
import { checkApproval, checkEarn, writesOf } from './check-approval.ts';
import { checkLists } from './check-lists.ts';
import { checkReach, checkUnless } from './check-reach.ts';
import { checkRollout } from './check-rollout.ts';
import { checkSteps } from './check-steps.ts';

/** What a release gets wrong, measured against its agent; empty when it may be applied. */
export function checkRelease(release: Release, agent: Agent): CheckProblem[] {
  const problems: CheckProblem[] = [];
  if (release.agent !== agent.agent) {
    const message = `The release is for agent "${release.agent}", not "${agent.agent}"`;
    problems.push({
      path: ['agent'],
      message,
      hint: `Write agent: ${agent.agent}, or apply it to "${release.agent}"`,
    });
  }
  release.grants.forEach((grant, at) => {
    problems.push(...checkGrant(grant, ['grants', at], agent, listsOf(release)));
  });
  return [
    ...checkLists(release.lists),
    ...problems,
    ...checkGrantNames(release),
    ...checkReach(release, agent),
    ...checkRollout(release, agent),
    ...checkSteps(release, agent),
  ];
}

/** The writes a grant lets run without asking anybody; a tool the agent does not declare counts as one. */
export function unaskedWrites(grant: Grant, agent: Agent): string[] {
  const unasked =
    approvalOf(grant) === undefined ||
    unlessOf(grant) !== undefined ||
    rulesOf(grant).some(({ answer }) => answer === 'approve');
  return grant.deny !== undefined || !unasked ? [] : writesOf(grant, agent);
}

/** Adopting puts a release in force at once, so it must ask a person for every write. */
export function checkFirstRelease(release: Release, agent: Agent): CheckProblem[] {
  return release.grants.flatMap((grant, at) => {
    const [write] = unaskedWrites(grant, agent);
    if (write === undefined) return [];
    const message = `An adopted release must ask a person for every write, and this grant does not ask for "${write}"`;
    const path = grant.approval === undefined ? ['grants', at] : ['grants', at, 'approval'];
    return [
      { path, message, hint: 'Write approval: <group>, and relax it in a later release that is rolled out' },
    ];
  });
}

const writes = (agent: Agent, name: string): boolean => {
  const tool = toolOf(agent, name);
  return tool !== undefined && isWrite(tool);
};

function checkGrant(grant: Grant, path: ManifestPath, agent: Agent, lists: NamedLists): CheckProblem[] {
  const tools = toolsOf(grant);
  const write = tools.find((tool) => writes(agent, tool));
  const problems: CheckProblem[] = [];
  tools.forEach((tool, at) => {
    if (toolOf(agent, tool)) return;
    const where = Array.isArray(grant.tool) ? [...path, 'tool', at] : [...path, 'tool'];
    const hint = sentence(suggest(tool, Object.keys(agent.tools)));
    problems.push({ path: where, message: `Tool "${tool}" is not declared by agent "${agent.agent}"`, hint });
  });
  if (write !== undefined && grant.approval === undefined && grant.deny === undefined)
    problems.push({
      path: [...path, 'tool'],
      message: `"${write}" writes, and this grant does not say who approves`,
      hint: `Add approval: <${Object.keys(agent.approvers).join(' or ')}>, or approval: none to let it run unasked`,
    });
  if (grant.deny !== undefined && grant.approval !== undefined)
    problems.push({
      path: [...path, 'approval'],
      message: 'The grant denies, so nobody is ever asked',
      hint: 'Remove approval, or remove deny',
    });
  if (write !== undefined && grant.record === 'after')
    problems.push({
      path: [...path, 'record'],
      message: `"${write}" writes, and record: after is for reads`,
      hint: 'Write record: before',
    });
  return [
    ...problems,
    ...checkApproval(grant, [...path, 'approval'], agent, lists),
    ...checkUnless(grant, path, agent, lists),
    ...checkEarn(grant, [...path, 'earn'], agent),
    ...checkCredential(grant, [...path, 'credential'], agent),
    ...checkWhen(grant, [...path, 'when'], agent, lists),
  ];
}

function checkCredential(grant: Grant, path: ManifestPath, agent: Agent): CheckProblem[] {
  const { scopes = [] } = grant.credential;
  const problems: CheckProblem[] = [];
  for (const name of toolsOf(grant)) {
    const tool = toolOf(agent, name);
    if (!tool) continue;
    scopes.forEach((scope, at) => {
      if (tool.scopes.includes(scope)) return;
      const hint = `List it under tools.${name}.scopes, or ${suggest(scope, tool.scopes)}`;
      problems.push({
        path: [...path, 'scopes', at],
        message: `Scope "${scope}" does not exist for tool "${name}"`,
        hint,
      });
    });
  }
  return problems;
}

function checkWhen(grant: Grant, path: ManifestPath, agent: Agent, lists: NamedLists): CheckProblem[] {
  if (grant.when === undefined) return [];
  const several = Array.isArray(grant.tool);
  for (const name of toolsOf(grant)) {
    const tool = toolOf(agent, name);
    if (!tool) continue;
    const condition = compileCondition(grant.when, {
      args: tool.args as JsonSchema,
      attributes: agent.attributes,
      lists,
    });
    if (!condition.ok)
      return conditionProblems(path, condition).map((problem) =>
        several ? { ...problem, message: `${problem.message} (for tool "${name}")` } : problem,
      );
    if (condition.constant === false)
      return [
        {
          path,
          message: 'The condition is never true, so the grant does nothing',
          hint: 'Mend it, or remove the grant',
        },
      ];
  }
  return [];
}

/** An action names its grant, so two of one tool must not share a name. */
function checkGrantNames(release: Release): CheckProblem[] {
  const seen = new Set<string>();
  return release.grants.flatMap((grant, at) => {
    const taken = [...new Set(toolsOf(grant))].find((tool) => {
      const key = `${tool} ${grantName(grant, at, tool)}`;
      return seen.size === seen.add(key).size;
    });
    if (taken === undefined) return [];
    const path = ['grants', at, 'name'];
    return [
      {
        path,
        message: `Two grants for "${taken}" have the name "${grantName(grant, at, taken)}"`,
        hint: 'Rename one of the two',
      },
    ];
  });
}
