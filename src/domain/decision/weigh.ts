import { RISKS, type Risk } from '../agent.ts';
import type { ConditionValues, Truth } from '../cel/cel.ts';
import type { Arm, Outcome, Reason, ReasonCode } from '../decision.ts';
import {
  type ApprovalPolicy,
  approvalOf,
  describeStages,
  quorumOf,
  tightened,
  unlessOf,
} from '../release.ts';
import type { Bounds } from './bounds.ts';
import type { CompiledGrant, CompiledRelease, CompiledTool, NamedGrant } from './compiled.ts';
import { withoutHiddenNames } from './hidden-names.ts';

/** What the grants of a release say to one request. */
export interface Answer {
  outcome: Outcome;
  reasons: Reason[];
  /** The one that decided. */
  grant?: NamedGrant;
  approval?: ApprovalPolicy;
  /** The standing approval of people that covers it. */
  standing?: string;
  /** People are not asked any more because the evidence carries it. */
  earned?: boolean;
}

/** A standing approval that is live, ready for deciding. */
export interface CompiledStanding {
  id: string;
  tool: string;
  grant: string;
  release: string;
  segment: string;
  arm: Arm;
  generation: number | null;
  /** Of the action it was given with: what is riskier is not the like of it. */
  risk: Risk;
  matches(values: ConditionValues): Truth;
}

/** What relaxes an asking grant, and where. */
export interface Relaxations {
  standings?: readonly CompiledStanding[];
  /** Grants that earned it: `earnedKey` of each. */
  earned?: ReadonlySet<string>;
}

/** Where a request falls. */
export interface WeighedPlace {
  segment: string;
  arm: Arm;
  generation?: number;
  /** What holds the candidate beside its grants. */
  bounds?: Bounds;
}

/** One request, as conditions and grants see it. */
export interface WeighedValues extends ConditionValues {
  args: Readonly<Record<string, unknown>>;
  /** The build that asks; unknown has earned nothing. */
  agentVersion: string | undefined;
}

/** Each build of an agent earns for itself. */
export const earnedKey = (
  release: string,
  grant: string,
  tool: string,
  segment: string,
  agentVersion: string,
): string => JSON.stringify([release, grant, tool, segment, agentVersion]);

const NONE: readonly CompiledGrant[] = [];

/**
 * Deny beats ask beats allow; among asks the most people win; a condition that errs denies. What asks may be answered
 * by its own rules (deny beats ask beats approve, and only low risk is approved), by a standing approval of people, or
 * because the evidence of this segment carries it; where each write of the candidate asks, nothing of that lets it run.
 * No write runs unasked with a member that its schema does not declare: nobody said what that may hold.
 */
export function weigh(
  tool: CompiledTool,
  release: CompiledRelease,
  place: WeighedPlace,
  values: WeighedValues,
  relaxations: Relaxations,
): Answer {
  const grants = release.grants.get(tool.name) ?? NONE;
  const matching: { grant: CompiledGrant; unless: Truth }[] = [];
  for (const grant of grants) {
    const truth = grant.matches?.(values) ?? 'true';
    const unless = truth === 'true' ? (grant.unless?.(values) ?? 'false') : 'false';
    if (truth === 'error' || unless === 'error')
      return denied(
        reason('condition_error', `The condition of grant "${grant.name}" failed on this request`),
      );
    if (truth === 'true') matching.push({ grant, unless });
  }
  const refusing = matching.find(({ grant }) => grant.grant.deny !== undefined)?.grant;
  if (refusing)
    return { ...denied(reason('denied_by_grant', refusing.grant.deny ?? 'Denied')), grant: refusing.grant };
  const asking: { grant: CompiledGrant; unasked: boolean }[] = [];
  for (const { grant, unless } of matching)
    if (grant.approval !== undefined)
      asking.push({ grant, unasked: unless === 'true' && undeclaredOf(tool, values) === undefined });
  if (asking.length > 0) return answerAsking(tool, release, asking, place, values, relaxations);
  const allowing = matching.find(
    ({ grant: { grant } }) => !tool.write || grant.approval !== undefined,
  )?.grant;
  if (allowing && everyWriteAsks(tool, place)) return answerUngrouped(allowing, place.bounds?.asks);
  const undeclared = allowing && undeclaredOf(tool, values);
  if (allowing && undeclared !== undefined)
    return { ...denied(undeclaredReason(undeclared, allowing.name)), grant: allowing.grant };
  if (allowing)
    return {
      outcome: 'allowed',
      reasons: [reason('granted', `Granted by "${allowing.name}"`)],
      grant: allowing.grant,
    };
  return denied(ungranted(tool, release, grants));
}

const everyWriteAsks = ({ write }: CompiledTool, { bounds }: WeighedPlace): boolean =>
  write && bounds?.everyWriteAsks === true;

/** A grant that asks nobody, where each write asks. */
function answerUngrouped({ grant, name }: CompiledGrant, group: string | undefined): Answer {
  const approval = group === undefined ? undefined : approvalOf({ approval: group });
  if (approval === undefined)
    return {
      ...denied(reason('not_in_step', `Each write asks people now, and grant "${name}" names nobody`)),
      grant,
    };
  return asks(grant, { ...approval, standing: 'forbidden' }, ALWAYS);
}

/**
 * A rule of any asking grant may deny. A grant whose `unless` holds does not ask, except where a rule of it always asks;
 * of those left, only the strictest one may be answered without asking.
 */
function answerAsking(
  tool: CompiledTool,
  release: CompiledRelease,
  matching: readonly { grant: CompiledGrant; unasked: boolean }[],
  place: WeighedPlace,
  values: WeighedValues,
  { standings = [], earned }: Relaxations,
): Answer {
  const all = matching.map((one) => ({
    ...one,
    rule: ruleAnswer(one.grant, tool.riskOf(values.args, values.meter), values),
  }));
  const denying = all.find(({ rule }) => rule.answer === 'deny');
  if (denying)
    return {
      ...denied(
        reason('denied_by_rule', denying.rule.reason ?? `A rule of grant "${denying.grant.name}" denies it`),
      ),
      grant: denying.grant.grant,
    };
  const always = everyWriteAsks(tool, place);
  const asking = all.filter(({ unasked, rule }) => always || !unasked || rule.answer === 'ask');
  const ruled = asking.length > 0 ? asking : all;
  const { grant, rule } = ruled.reduce((best, next) =>
    quorumOf(next.grant.approval) > quorumOf(best.grant.approval) ? next : best,
  );
  const allowed = (code: ReasonCode, message: string, more: Partial<Answer> = {}): Answer => ({
    outcome: 'allowed',
    reasons: [reason(code, message)],
    grant: grant.grant,
    ...more,
  });
  if (asking.length === 0)
    return allowed('granted', `Granted by "${grant.name}": it asks, unless ${unlessOf(grant.grant)?.trim()}`);
  const strictest = tightened(
    grant.approval as ApprovalPolicy,
    asking.flatMap((one) => one.grant.approval ?? []),
  );
  if (always) return asks(grant.grant, { ...strictest, standing: 'forbidden' }, ALWAYS);
  const isDeclared = (): boolean => undeclaredOf(tool, values) === undefined;
  if (ruled.every((one) => one.rule.answer === 'approve') && isDeclared())
    return allowed('approved_by_rule', rule.reason ?? `A rule of grant "${grant.name}" approves low risk`);
  const hasEarned = (one: CompiledGrant) =>
    values.agentVersion !== undefined &&
    (earned?.has(earnedKey(release.version, one.name, tool.name, place.segment, values.agentVersion)) ??
      false);
  if (ruled.every((one) => one.rule.answer !== 'ask' && hasEarned(one.grant)) && isDeclared())
    return allowed('earned', `Grant "${grant.name}" has earned it in segment "${place.segment}"`, {
      earned: true,
    });
  const covering =
    strictest.standing === 'allowed'
      ? standings.find((one) => covers(one, tool, release, grant, place, values))
      : undefined;
  if (covering && isDeclared())
    return allowed('standing_approval', 'People approved the like of it for a while', {
      standing: covering.id,
      approval: strictest,
    });
  return asks(grant.grant, strictest);
}

const ALWAYS = 'Each write of the candidate asks for now: ';

function asks(grant: NamedGrant, approval: ApprovalPolicy, why = ''): Answer {
  const people = quorumOf(approval) === 1 ? 'a person' : `${quorumOf(approval)} people`;
  const message = `${why}Grant "${grant.name}" asks ${people}: ${describeStages(approval)}`;
  return { outcome: 'pending', reasons: [reason('approval_needed', message)], grant, approval };
}

interface RuleAnswer {
  answer: 'deny' | 'ask' | 'approve' | 'none';
  reason?: string;
}

/** A rule that errs denies where it would deny, and asks otherwise. */
function ruleAnswer({ rules }: CompiledGrant, risk: Risk, values: ConditionValues): RuleAnswer {
  const truths = rules.map(({ rule, matches }) => ({ rule, truth: matches(values) }));
  const denies = truths.find(({ rule, truth }) => rule.answer === 'deny' && truth !== 'false');
  if (denies?.truth === 'error')
    return { answer: 'deny', reason: 'A rule that denies failed on this request' };
  if (denies) return { answer: 'deny', ...(denies.rule.reason && { reason: denies.rule.reason }) };
  if (truths.some(({ rule, truth }) => truth === 'error' || (rule.answer === 'ask' && truth === 'true')))
    return { answer: 'ask' };
  const approves = truths.find(({ rule, truth }) => rule.answer === 'approve' && truth === 'true');
  if (!approves || risk !== 'low') return { answer: 'none' };
  return { answer: 'approve', ...(approves.rule.reason && { reason: approves.rule.reason }) };
}

const covers = (
  one: CompiledStanding,
  tool: CompiledTool,
  release: CompiledRelease,
  grant: CompiledGrant,
  place: WeighedPlace,
  values: WeighedValues,
): boolean =>
  one.tool === tool.name &&
  one.grant === grant.name &&
  one.release === release.version &&
  one.segment === place.segment &&
  one.arm === place.arm &&
  one.generation === (place.generation ?? null) &&
  RISKS.indexOf(tool.riskOf(values.args, values.meter)) <= RISKS.indexOf(one.risk) &&
  one.matches(values) === 'true';

function ungranted(tool: CompiledTool, release: CompiledRelease, grants: readonly CompiledGrant[]): Reason {
  const conditions = grants.filter(({ grant }) => grant.when !== undefined && grant.deny === undefined);
  if (conditions.length === 0)
    return reason(
      'no_grant',
      `Release "${release.version}" does not grant "${tool.name}"`,
      'Ask for it in a new release',
    );
  const hint = conditions.map(({ name, grant }) => `"${name}" needs ${grant.when?.trim()}`).join('; or ');
  return reason('condition_not_met', `No grant for "${tool.name}" matches this request`, hint);
}

/** What a write holds that its schema allows and does not declare. */
function undeclaredOf(tool: CompiledTool, { args, meter }: WeighedValues): string | undefined {
  const member = tool.write ? tool.args.undeclared(args, meter) : undefined;
  return member && withoutHiddenNames(member, args, tool.redactions, '[redacted]');
}

const undeclaredReason = (member: string, grant: string): Reason =>
  reason(
    'args_undeclared',
    `Grant "${grant}" lets it run unasked with declared arguments only, and the schema does not declare "${member}"`,
    'Leave it out, or declare it in the schema of the tool',
  );

export const denied = (why: Reason): Answer => ({ outcome: 'denied', reasons: [why] });
export const reason = (code: ReasonCode, message: string, hint?: string): Reason =>
  hint === undefined ? { code, message } : { code, message, hint };
