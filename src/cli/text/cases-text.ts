import type { RegressionCase } from '../../domain/cases/case.ts';
import type { CaseResult, CaseVerdict } from '../../domain/cases/result.ts';
import type { Strength } from '../../domain/cases/strength.ts';
import type { SuiteResult } from '../../domain/cases/suite.ts';
import { bullets, fields, paragraph, sections, table } from './render.ts';

const FIRST: Readonly<Record<CaseVerdict, number>> = {
  red: 0,
  unevaluable: 1,
  'not-applicable': 2,
  green: 3,
};

/** Four numbers, and a line for each case: what is wrong first. */
export function suiteText(suite: SuiteResult, width: number): string {
  const { agent, release, green, red, notApplicable, unevaluable, results, becameNotApplicable } = suite;
  const head = `Release ${release} of ${agent}: ${green} green, ${red} red, ${notApplicable} not applicable, ${unevaluable} unevaluable`;
  const rows = [...results]
    .sort((one, other) => FIRST[one.verdict] - FIRST[other.verdict])
    .map(({ verdict, case: name, why }: CaseResult) => [verdict, name, why]);
  const gone =
    becameNotApplicable.length > 0
      ? paragraph(`Green before, and not applicable any more: ${becameNotApplicable.join(', ')}`, width)
      : undefined;
  const none = results.length === 0 ? 'There is no case: nothing was run.' : undefined;
  return sections(head, none ?? table(['', 'case', 'why'], rows, width), gone);
}

/** What no case would notice; what is noticed is only counted. */
export function strengthText({ agent, release, weakenings, noticed, all }: Strength, width: number): string {
  const missed = all.filter(({ noticedBy }) => noticedBy === undefined);
  const head = `Release ${release} of ${agent}: the cases notice ${noticed} of ${weakenings} weakenings`;
  if (weakenings === 0) return `${head}. There is nothing that could be weakened.`;
  if (missed.length === 0) return head;
  return `${head}. No case would notice:\n${bullets(
    missed.map(({ kind, says }) => `${kind}: ${says}`),
    width,
  )}`;
}

/** A case as the service answers it. */
export interface WireCase {
  agent: string;
  case: string;
  kind: string;
  state: string;
  /** Without what it expects while nobody has written that. */
  body: Omit<RegressionCase, 'expect'> & Partial<Pick<RegressionCase, 'expect'>>;
  redOn?: string;
  greenOn?: string;
  incident?: string;
  because: string;
  proposedBy: string;
  action?: string;
  covers: number;
  reviewBy?: string;
  staleSince?: string;
  waitsFor?: { verb: string; by: string; reason: string };
  changes?: { at: string; by: string; verb: string; reason?: string }[];
}

/** A case made of an action, and what it says of the release that answered. */
export interface WireDraft {
  case: RegressionCase;
  action: string;
  kept: string[];
  on: { release: string; verdict: string; why: string };
}

const WORDS: Readonly<Record<string, string>> = {
  denied: 'denied',
  edited: 'changed',
  corrected: 'reported',
};

/** Whose word proposed it, and how often; nothing for what somebody wrote. */
const wordText = ({ because, proposedBy, action, covers }: WireCase): string | undefined => {
  const word = Object.hasOwn(WORDS, because) ? WORDS[because] : undefined;
  if (word === undefined) return undefined;
  return `${word} by ${proposedBy}${covers > 1 ? `, and ${covers - 1} more like it` : ''}${action ? `; last: action ${action}` : ''}`;
};

const waits = (one: WireCase): string => {
  const { waitsFor, staleSince, state, body } = one;
  const unwritten = state === 'proposed' && body.expect === undefined;
  return [
    unwritten && `${wordText(one)}: write what must come of it`,
    waitsFor && `${waitsFor.verb} asked by ${waitsFor.by}: a second person says the same`,
    staleSince && 'its tool takes other arguments',
  ]
    .filter(Boolean)
    .join('\n');
};

/** One line a case that is kept. */
export const wireCasesText = (cases: readonly WireCase[], width: number): string =>
  cases.length === 0
    ? 'There is no case.'
    : table(
        ['case', 'kind', 'state', 'what must not happen again', 'waits for'],
        cases.map((one) => [one.case, one.kind, one.state, one.body.says, waits(one)]),
        width,
      );

/** One that is kept, and what became of it. */
export const wireCaseText = (one: WireCase, width: number): string =>
  sections(
    paragraph(`${one.case} of ${one.agent} is ${one.state}: ${one.body.says}`, width),
    fields(
      [
        ['expects', one.body.expect && JSON.stringify(one.body.expect)],
        ['given', JSON.stringify(one.body.given)],
        ['twins', one.body.twins.join(', ') || undefined],
        ['comes from', wordText(one)],
        ['incident', one.incident],
        ['red on', one.redOn],
        ['green on', one.greenOn],
        ['review by', one.reviewBy],
        ['waits for', waits(one) || undefined],
      ],
      width,
    ),
    one.changes &&
      bullets(
        one.changes.map(
          ({ at, by, verb, reason }) => `${at}: ${verb} by ${by}${reason ? `: ${reason}` : ''}`,
        ),
        width,
      ),
  );
