import { type Agent, isWrite, toolOf } from '../agent.ts';
import { type Condition, compileCondition } from '../cel/cel.ts';
import { type DomainOf, domainsOf } from '../cel/facts.ts';
import { type Formula, implies, not } from '../cel/logic.ts';
import { listsOf, type NamedLists } from '../lists.ts';
import type { CheckProblem, ManifestPath } from '../problem.ts';
import {
  type ApprovalPolicy,
  approvalOf,
  describeStages,
  type Grant,
  quorumOf,
  type Release,
  rulesOf,
  tightened,
  toolsOf,
  unlessOf,
} from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { conditionProblems } from './check-agent.ts';

const ALWAYS: Formula = { kind: 'const', value: true };

/** One grant as it stands for one tool, with the requests it matches as logic. */
interface PlacedGrant {
  at: number;
  path: ManifestPath;
  grant: Grant;
  formula: Formula;
  answer: 'denies' | 'asks' | 'allows';
  /** Of a grant that asks: where it does not. */
  unless?: Formula;
}

/** What is wrong with the `unless` of a grant: it must depend on the request wherever the grant matches. */
export function checkUnless(
  grant: Grant,
  path: ManifestPath,
  agent: Agent,
  lists: NamedLists,
): CheckProblem[] {
  const unless = unlessOf(grant);
  if (unless === undefined) return [];
  const where = [...path, 'approval', 'unless'];
  for (const name of toolsOf(grant)) {
    const [condition, when] = [
      conditionOf(unless, name, agent, lists),
      conditionOf(grant.when, name, agent, lists),
    ];
    if (condition === undefined) continue;
    if (!condition.ok) return conditionProblems(where, condition);
    const matches = when?.ok ? when.formula : ALWAYS;
    const domains = domainsOfTool(name, agent);
    if (implies(matches, [condition.formula], domains))
      return [
        {
          path: where,
          message: 'It holds for everything the grant matches, so nobody is ever asked',
          hint: 'Mend it, or write approval: none',
        },
      ];
    if (implies(matches, [not(condition.formula)], domains))
      return [
        {
          path: where,
          message: 'It holds for nothing the grant matches, so everything is asked',
          hint: 'Mend it, or remove it',
        },
      ];
  }
  return [];
}

/**
 * Grants that never decide anything: every request they match is answered by others of the same tool. Nobody who reads
 * such a grant would guess that.
 */
export function checkReach(release: Release, agent: Agent): CheckProblem[] {
  const lists = listsOf(release);
  const byTool = new Map<string, { grant: Grant; at: number }[]>();
  release.grants.forEach((grant, at) => {
    for (const name of new Set(toolsOf(grant)))
      byTool.set(name, [...(byTool.get(name) ?? []), { grant, at }]);
  });
  const told = new Set<number>();
  return [...byTool].flatMap(([name, grants]) => {
    if (grants.length < 2) return [];
    const all = grants.flatMap(({ grant, at }) => placedGrant(grant, at, name, agent, lists) ?? []);
    return all.flatMap((one) => {
      const problem = shadowOf(one, all, domainsOfTool(name, agent));
      if (!problem || told.has(one.at)) return [];
      told.add(one.at);
      return [{ ...problem, path: one.path }];
    });
  });
}

/** What is wrong in itself is told elsewhere, and left out here. */
function placedGrant(
  grant: Grant,
  at: number,
  name: string,
  agent: Agent,
  lists: NamedLists,
): PlacedGrant | undefined {
  const tool = toolOf(agent, name);
  const when = conditionOf(grant.when, name, agent, lists);
  if (tool === undefined || (when && (!when.ok || when.constant === false))) return undefined;
  const policy = approvalOf(grant);
  if (grant.deny === undefined && grant.approval === undefined && isWrite(tool)) return undefined;
  const answer = grant.deny !== undefined ? 'denies' : policy ? 'asks' : 'allows';
  const several = Array.isArray(grant.tool);
  const path = several ? ['grants', at, 'tool', toolsOf(grant).indexOf(name)] : ['grants', at, 'tool'];
  const unless = conditionOf(unlessOf(grant), name, agent, lists);
  const formula = when?.ok ? when.formula : ALWAYS;
  return { at, path, grant, formula, answer, ...(unless?.ok && { unless: unless.formula }) };
}

type Shadow = Pick<CheckProblem, 'message' | 'hint' | 'others'>;

const REMOVE = 'Remove it, or narrow the condition of the other';

function shadowOf(one: PlacedGrant, all: readonly PlacedGrant[], domains: DomainOf): Shadow | undefined {
  const others = all.filter((other) => other !== one);
  const denials = others.filter(
    ({ at, answer }) => answer === 'denies' && (one.answer !== 'denies' || at < one.at),
  );
  const denying = covering(one, denials, domains);
  if (denying)
    return { ...shadow(denying, 'everything it matches is denied', 'and a denial beats it'), hint: REMOVE };
  if (one.answer === 'denies') return undefined;
  const asking = others.filter(({ answer }) => answer === 'asks');
  if (one.answer === 'asks') return shadowOfAsking(one, asking, denials, domains);
  const asked = covering(one, asking, domains);
  if (asked)
    return {
      ...shadow(asked, `${asks(asked)} about everything it matches`, 'and asking beats allowing'),
      hint: one.grant.when
        ? `Say both in one grant, approval: { group: ${groupOf(asked)}, unless: '${one.grant.when.trim()}' }, or make the conditions exclude each other`
        : REMOVE,
    };
  const earlier = others.filter(({ answer, at }) => answer === 'allows' && at < one.at);
  const allowed = covering(one, earlier, domains);
  if (allowed)
    return {
      ...shadow(allowed, 'everything it matches is allowed', 'and the first that allows counts'),
      hint: 'Remove it, or put the narrower grant first',
    };
  const together = covering(one, [...denials, ...asking, ...earlier], domains);
  return (
    together && {
      ...shadow(together, 'everything it matches is answered', 'and they come first'),
      hint: REMOVE,
    }
  );
}

function shadowOfAsking(
  one: PlacedGrant,
  asking: readonly PlacedGrant[],
  denials: readonly PlacedGrant[],
  domains: DomainOf,
): Shadow | undefined {
  const beside = asking.filter((other) => saysNothingBeside(one, other));
  const stronger =
    covering(one, [...denials, ...beside], domains) &&
    covering(whereItAsks(one), [...denials, ...beside.map(whereItAsks)], domains);
  if (stronger)
    return {
      ...shadow(
        stronger,
        stronger.every(({ answer }) => answer === 'asks')
          ? `${asks(stronger)} about everything it matches`
          : 'everything it matches is asked or denied',
        'and it adds nothing to that',
      ),
      hint: REMOVE,
    };
  if (!one.unless) return undefined;
  const holding = asking.filter(({ grant }) => !mayRelax(grant)).map(whereItAsks);
  const unasked = { ...one, formula: { kind: 'and' as const, of: [one.formula, one.unless] } };
  const held = covering(unasked, [...denials, ...holding], domains);
  return (
    held && {
      message: 'Its "unless" lets nothing run unasked: by {others} all of that is asked or denied',
      others: held.map(({ at }) => ['grants', at]),
      hint: 'Write the condition in every grant that asks about it, or narrow the condition of the other',
    }
  );
}

/** The grant as it matches only what it asks about. */
const whereItAsks = (one: PlacedGrant): PlacedGrant =>
  one.unless ? { ...one, formula: { kind: 'and', of: [one.formula, not(one.unless)] } } : one;

const asks = (placed: readonly PlacedGrant[]): string =>
  `${[...new Set(placed.map(({ grant }) => describeStages(approvalOf(grant) ?? NOBODY)))].join(' and ')} is asked`;
const NOBODY = { stages: [] };
const groupOf = ([first]: readonly PlacedGrant[]): string => {
  const approval = first?.grant.approval;
  return (typeof approval === 'object' ? approval.group : approval) ?? '<group>';
};

const shadow = (by: readonly PlacedGrant[], what: string, why: string): Omit<Shadow, 'hint'> => ({
  message: `No request ever gets its answer from this grant: by {others} ${what}, ${why}`,
  others: by.map(({ at }) => ['grants', at]),
});

/** The fewest of these that match everything it matches, if they do together. */
function covering(
  one: PlacedGrant,
  others: readonly PlacedGrant[],
  domains: DomainOf,
): readonly PlacedGrant[] | undefined {
  const covers = (some: readonly PlacedGrant[]): boolean =>
    implies(
      one.formula,
      some.map(({ formula }) => formula),
      domains,
    );
  if (others.length === 0 || !covers(others)) return undefined;
  const alone = others.find((other) => covers([other]));
  if (alone) return [alone];
  return others.reduce<readonly PlacedGrant[]>((kept, other) => {
    const fewer = kept.filter((each) => each !== other);
    return covers(fewer) ? fewer : kept;
  }, others);
}

/** Whether a grant that asks changes nothing where the other one asks as well: not who, not how, not whether. */
function saysNothingBeside(one: PlacedGrant, other: PlacedGrant): boolean {
  const [policy, theirs] = [approvalOf(one.grant), approvalOf(other.grant)];
  if (!policy || !theirs) return false;
  const outranks =
    quorumOf(theirs) > quorumOf(policy) || (quorumOf(theirs) === quorumOf(policy) && other.at < one.at);
  const ruled = rulesOf(one.grant).some(({ answer }) => answer !== 'approve');
  return outranks && !ruled && !mayRelax(other.grant) && isAsStrict(theirs, policy);
}

/** By what is not written in the release alone. */
const mayRelax = (grant: Grant): boolean =>
  grant.earn !== undefined || rulesOf(grant).some(({ answer }) => answer === 'approve');

const isAsStrict = (policy: ApprovalPolicy, other: ApprovalPolicy): boolean => {
  const both = tightened(policy, [other]);
  return (['reason', 'slackApproves', 'standing', 'breakGlass', 'repeats', 'strictBehind'] as const).every(
    (key) => both[key] === policy[key],
  );
};

function conditionOf(
  source: string | undefined,
  name: string,
  agent: Agent,
  lists: NamedLists,
): Condition | undefined {
  const tool = toolOf(agent, name);
  if (source === undefined || tool === undefined) return undefined;
  return compileCondition(source, { args: tool.args as JsonSchema, attributes: agent.attributes, lists });
}

const domainsOfTool = (name: string, agent: Agent): DomainOf =>
  domainsOf(toolOf(agent, name)?.args as JsonSchema | undefined);
