import type { Agent } from '../agent.ts';
import type { Release } from '../release.ts';
import { isFloor, type RegressionCase } from './case.ts';
import type { CaseResult, CaseVerdict } from './result.ts';
import { runCase } from './run.ts';
import { caseWorld } from './world.ts';

/** What a former run said of a case. */
export type FormerResult = Pick<CaseResult, 'case' | 'verdict'>;

/** Four numbers and never a percentage, with a line each. */
export interface SuiteResult {
  agent: string;
  release: string;
  green: number;
  red: number;
  notApplicable: number;
  unevaluable: number;
  /** In the order of their names. */
  results: CaseResult[];
  /** Green before, and now about a tool that the release has no more. */
  becameNotApplicable: string[];
}

/** Which release the cases are run on. */
export interface SuiteInput {
  agent: Agent;
  release: Release;
  /** What a former run said: what was there and is not any more is red. */
  before?: readonly FormerResult[];
}

/** Runs every case on one release. The order of the cases changes nothing. Pure: see `runCase`. */
export function runSuite(
  { agent, release, before = [] }: SuiteInput,
  cases: readonly RegressionCase[],
): SuiteResult {
  const world = caseWorld(agent, release);
  const byName = new Map(cases.map((one) => [one.case, one]));
  const results = [
    ...cases.map((one) => {
      const lacking = twinProblem(one, byName);
      const result = runCase(one, world);
      return lacking === undefined ? result : { ...result, verdict: 'unevaluable' as const, why: lacking };
    }),
    ...before.filter(({ case: name }) => !byName.has(name)).map(gone),
  ].sort((one, other) => (one.case < other.case ? -1 : one.case > other.case ? 1 : 0));
  return summed({ agent, release, before }, results);
}

function summed({ agent, release, before = [] }: SuiteInput, results: CaseResult[]): SuiteResult {
  const count = (verdict: CaseVerdict) => results.filter((one) => one.verdict === verdict).length;
  const wasGreen = new Set(before.filter(({ verdict }) => verdict === 'green').map((one) => one.case));
  return {
    agent: agent.agent,
    release: release.release,
    green: count('green'),
    red: count('red'),
    notApplicable: count('not-applicable'),
    unevaluable: count('unevaluable'),
    results,
    becameNotApplicable: results
      .filter((one) => one.verdict === 'not-applicable' && wasGreen.has(one.case))
      .map((one) => one.case),
  };
}

/** A case that vanishes is no green one. */
const gone = ({ case: name }: FormerResult): CaseResult => ({
  case: name,
  digest: '',
  kind: 'ask',
  says: '',
  verdict: 'red',
  why: 'It was there in the former run and is not any more: retire it with a reason instead',
});

/** A floor without something beside it that must stay possible is met by denying everything. */
function twinProblem(one: RegressionCase, byName: ReadonlyMap<string, RegressionCase>): string | undefined {
  if (!isFloor(one)) return undefined;
  for (const name of one.twins) {
    const twin = byName.get(name);
    if (twin === undefined) return `Its twin "${name}" is not in the suite`;
    if (twinFits(one, twin)) return undefined;
  }
  return one.twins.length === 0
    ? 'It forbids something and has no twin'
    : `None of its twins (${one.twins.join(', ')}) is of its tool and must stay possible`;
}

/** A twin is of the same tool and has a ceiling below deny. */
export function twinFits(one: RegressionCase, twin: RegressionCase): boolean {
  if (twin.agent !== one.agent) return false;
  const tools = toolsOfCase(twin);
  return toolsOfCase(one).some((tool) => tools.includes(tool)) && hasCeiling(twin);
}

const hasCeiling = ({ kind, given, expect }: RegressionCase): boolean =>
  [expect, ...(kind === 'sequence' ? (given.steps ?? []) : [])].some(
    (bounds) => (bounds.atMost ?? bounds.exactly ?? 'deny') !== 'deny',
  ) || (given.steps ?? []).some(({ begun }) => begun === true);

/** The tools that a case asks for. */
export const toolsOfCase = ({ given }: RegressionCase): string[] => [
  ...new Set(
    [given.tool, ...(given.steps ?? []).map(({ tool }) => tool)].filter((tool) => tool !== undefined),
  ),
];

/** Whether a suite says that the release may go on. */
export const suitePasses = ({ green, red, unevaluable }: SuiteResult): boolean =>
  red === 0 && unevaluable === 0 && green > 0;
