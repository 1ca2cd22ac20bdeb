import type { Decision } from '../decision/decide.ts';
import { decide } from '../decision/decide.ts';
import type { ReasonCode } from '../decision.ts';
import type { CaseBounds, RegressionCase } from './case.ts';
import { type Finding, green, notApplicable, red, unevaluable } from './result.ts';
import { answerOf, strictnessOf } from './strictness.ts';
import { type CaseWorld, requestOf, speaksOf } from './world.ts';

/**
 * Reasons that say that the question could not be put, not how it is answered: the gate denies them all, and a case that
 * takes such a denial for its floor is green for nothing.
 */
const NO_ANSWER: ReadonlySet<ReasonCode> = new Set([
  'unknown_tool',
  'args_invalid',
  'args_undeclared',
  'attribute_missing',
  'no_release',
  'not_in_step',
  'condition_error',
  'behind_unknown',
]);

/** What came of an answer, against what a person said must come of it. */
export function weighAnswer(decision: Decision, bounds: CaseBounds): Finding {
  const codes = decision.reasons.map(({ code }) => code);
  const answer = answerOf(decision);
  const said = `${answer} (${codes.join(', ')})`;
  const named = bounds.reasons;
  const stray = codes.find((code) => NO_ANSWER.has(code) && !named?.includes(code));
  if (stray !== undefined) return unevaluable(`${stray}: ${decision.reasons[0]?.message ?? 'no reason'}`);
  const [least, most] = [bounds.exactly ?? bounds.atLeast, bounds.exactly ?? bounds.atMost];
  const strictness = strictnessOf(answer);
  if (least !== undefined && strictness < strictnessOf(least)) return red(`${said}, not at least ${least}`);
  if (most !== undefined && strictness > strictnessOf(most)) return red(`${said}, not at most ${most}`);
  if (named !== undefined && !codes.some((code) => named.includes(code)))
    return unevaluable(`${said}, for another reason than ${named.join(', ')}`);
  return green(said);
}

/** Why nothing can be said of a tool on this release; undefined where something can. */
export function toolLeft(
  tool: string,
  world: CaseWorld,
  named: readonly ReasonCode[] = [],
): Finding | undefined {
  if (!world.agent.tools.has(tool))
    return named.includes('unknown_tool') ? undefined : notApplicable(`The agent has no tool "${tool}"`);
  if (speaksOf(world, tool) || named.includes('no_grant')) return undefined;
  return notApplicable(`Release "${world.release.version}" does not grant "${tool}"`);
}

/** One question, decided as the gate would. */
export function askOf({ given }: RegressionCase, { world }: CaseWorld): Decision {
  const switches = given.switches ?? [];
  return decide(requestOf(given, given.agentVersion), switches.length > 0 ? { ...world, switches } : world);
}

export const runAsk = (one: RegressionCase, world: CaseWorld): Finding =>
  toolLeft(one.given.tool ?? '', world, one.expect.reasons) ?? weighAnswer(askOf(one, world), one.expect);
