import { type Agent, groupOf, isLive, isWrite, toolOf } from '../agent.ts';
import { slotOf } from '../approval/approval.ts';
import { assign, isFilled } from '../approval/assignment.ts';
import { compileCondition } from '../cel/cel.ts';
import { durationMs } from '../duration.ts';
import type { NamedLists } from '../lists.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import { type ApprovalPolicy, approvalOf, type Grant, groupsOf, rulesOf, toolsOf } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { conditionProblems } from './check-agent.ts';
import { eligibleApprovers } from './check-people.ts';

/** What the approval of a grant gets wrong: who is asked, when, and by which rules. */
export function checkApproval(
  grant: Grant,
  path: ManifestPath,
  agent: Agent,
  lists: NamedLists = {},
): CheckProblem[] {
  const policy = approvalOf(grant);
  if (policy === undefined) return checkStrict(grant, path);
  const shape = checkShape(grant, path);
  if (shape.length > 0) return shape;
  const unknown = groupsOf(policy).flatMap((group) => unknownGroup(grant, group, path, agent));
  if (unknown.length > 0) return unknown;
  return [
    ...checkPeopleEnough(grant, policy, path, agent),
    ...checkTimes(policy, path),
    ...checkRules(grant, path, agent, lists),
  ];
}

function checkStrict({ strictBehind }: Grant, path: ManifestPath): CheckProblem[] {
  if (!strictBehind) return [];
  const message = 'Only a grant that asks people can be strict about who is behind it';
  return [
    {
      path: [...path.slice(0, -1), 'strictBehind'],
      message,
      hint: 'Remove strictBehind, or give the grant an approval group',
    },
  ];
}

/** The writes among its tools; one that the agent does not declare counts as one. */
export const writesOf = (grant: Grant, agent: Agent): string[] =>
  toolsOf(grant).filter((name) => {
    const tool = toolOf(agent, name);
    return tool === undefined || isWrite(tool);
  });

/** Only what asks people can earn not to. */
export function checkEarn(grant: Grant, path: ManifestPath, agent: Agent): CheckProblem[] {
  if (grant.earn === undefined) return [];
  const asks = approvalOf(grant) !== undefined && grant.deny === undefined;
  if (asks && writesOf(grant, agent).length > 0) return [];
  const message = 'Only a grant that asks people for a write can earn not to ask';
  return [{ path, message, hint: 'Remove earn, or give the grant an approval group' }];
}

/** Exactly one of group, groups and stages, each time. */
function checkShape(grant: Grant, path: ManifestPath): CheckProblem[] {
  const { approval } = grant;
  if (typeof approval !== 'object') return [];
  const stages = approval.stages ?? [];
  const ways = [approval.group, approval.groups, approval.stages].filter((way) => way !== undefined).length;
  const hint =
    'Write group (and quorum), or groups: {desk: 2, legal: 1}, or stages: [{group: desk}, {group: legal}]';
  if (ways !== 1)
    return [
      {
        path,
        message: ways === 0 ? 'It does not say who approves' : 'It says in several ways who approves',
        hint,
      },
    ];
  const asked =
    approval.stages === undefined
      ? [{ path, one: approval }]
      : stages.map((one, at) => ({ path: [...path, 'stages', at], one }));
  return asked.flatMap(({ path: where, one }) => {
    if ('stages' in one && one.stages !== undefined) return [];
    const both = (one.group === undefined) === (one.groups === undefined);
    if (both)
      return [
        {
          path: where,
          message: 'A stage asks one group or several',
          hint: 'Write group, or groups: {desk: 1, legal: 1}',
        },
      ];
    if (one.quorum !== undefined && one.group === undefined)
      return [
        {
          path: [...where, 'quorum'],
          message: 'quorum belongs to group',
          hint: 'Write the count beside each of groups',
        },
      ];
    return [];
  });
}

function unknownGroup(grant: Grant, group: string, path: ManifestPath, agent: Agent): CheckProblem[] {
  if (groupOf(agent, group)) return [];
  const { approval } = grant;
  const simple = typeof approval === 'object' && approval.group === group;
  const where = typeof approval === 'string' ? path : simple ? [...path, 'group'] : path;
  const hint = sentence(suggest(group, [...Object.keys(agent.approvers), 'none']));
  return [{ path: where, message: `There is no approver group "${group}"`, hint }];
}

function checkStage(
  grant: Grant,
  policy: ApprovalPolicy,
  stage: number,
  path: ManifestPath,
  agent: Agent,
): CheckProblem[] {
  const single = typeof grant.approval !== 'object' || grant.approval.group !== undefined;
  return (policy.stages[stage] ?? []).flatMap(({ group, quorum }): CheckProblem[] => {
    const spec = groupOf(agent, group);
    if (spec === undefined || isLive(spec)) return [];
    const eligible = eligibleApprovers(agent, group).length;
    if (quorum <= eligible) return [];
    const message = `${quorum} approvals are needed, and only ${eligible} of "${group}" may approve`;
    const hint = `Write quorum: ${Math.max(1, eligible)} or add people to the group`;
    return [{ path: single ? [...path, 'quorum'] : path, message, hint }];
  });
}

/** One person counts once, in all groups and stages together. */
function checkPeopleEnough(
  grant: Grant,
  policy: ApprovalPolicy,
  path: ManifestPath,
  agent: Agent,
): CheckProblem[] {
  const short = policy.stages.flatMap((_, stage) => checkStage(grant, policy, stage, path, agent));
  if (short.length > 0) return short;
  const listed = policy.stages.flatMap((needs, stage) =>
    needs.flatMap(({ group, quorum }) => {
      const spec = groupOf(agent, group);
      return spec && !isLive(spec) ? [{ slot: slotOf(stage, group), count: quorum, group }] : [];
    }),
  );
  const members = new Map(listed.map(({ group }) => [group, new Set(eligibleApprovers(agent, group))]));
  const supporters = Object.keys(agent.people).map((person) => ({
    person,
    slots: listed.filter(({ group }) => members.get(group)?.has(person)).map(({ slot }) => slot),
  }));
  const filled = assign(listed, supporters);
  if (isFilled(listed, filled)) return [];
  const wanted = listed.reduce((sum, { count }) => sum + count, 0);
  const message = `${wanted} different people must agree, and ${filled.size} of these groups can: one person counts once`;
  return [{ path, message, hint: 'Add people to the groups, or ask fewer' }];
}

function checkTimes(
  { expiresIn, remindAfter, escalate }: ApprovalPolicy,
  path: ManifestPath,
): CheckProblem[] {
  const problems: CheckProblem[] = [];
  if (remindAfter !== undefined && durationMs(remindAfter) >= durationMs(expiresIn))
    problems.push({
      path: [...path, 'remindAfter'],
      message: 'The reminder would come after the end',
      hint: `Write less than ${expiresIn}`,
    });
  escalate.forEach(({ after }, at) => {
    const before = at === 0 ? 0 : durationMs(escalate[at - 1]?.after ?? '0s');
    if (durationMs(after) >= durationMs(expiresIn))
      problems.push({
        path: [...path, 'escalate', at, 'after'],
        message: 'It would come after the end',
        hint: `Write less than ${expiresIn}`,
      });
    else if (durationMs(after) < before)
      problems.push({
        path: [...path, 'escalate', at, 'after'],
        message: 'It would come before the one above',
        hint: 'Write them in the order of time',
      });
  });
  return problems;
}

function checkRules(grant: Grant, path: ManifestPath, agent: Agent, lists: NamedLists): CheckProblem[] {
  return rulesOf(grant).flatMap(({ when, answer }, at) => {
    const where = [...path, 'rules', at, 'when'];
    for (const name of toolsOf(grant)) {
      const tool = toolOf(agent, name);
      if (!tool) continue;
      const condition = compileCondition(when, {
        args: tool.args as JsonSchema,
        attributes: agent.attributes,
        lists,
      });
      if (!condition.ok) return conditionProblems(where, condition);
      if (condition.constant !== undefined)
        return [
          {
            path: where,
            message: `The condition is always ${condition.constant}`,
            hint: 'Mend it, or remove the rule',
          },
        ];
      if (answer === 'approve' && tool.risk !== 'low')
        return [
          {
            path: [...path, 'rules', at, 'answer'],
            message: `Only low risk is approved by rule, and "${name}" is ${tool.risk}`,
            hint: 'Say risk: low at the tool if that is true, and raise it by its risks where it is not',
          },
        ];
    }
    return [];
  });
}
