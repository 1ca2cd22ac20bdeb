import type { CaseKind } from './case.ts';

/** The four ends of a case. Only the first is good; `unevaluable` is an answer for another reason than the case is about. */
export const CASE_VERDICTS = ['green', 'red', 'not-applicable', 'unevaluable'] as const;
export type CaseVerdict = (typeof CASE_VERDICTS)[number];

/** What came of one part of a case. */
export interface Finding {
  verdict: CaseVerdict;
  /** In words: what was expected and what came instead, or why it cannot be told. */
  why: string;
}

/** What came of a case on one release. The same case and release give the same, byte for byte. */
export interface CaseResult extends Finding {
  case: string;
  digest: string;
  kind: CaseKind;
  says: string;
}

export const green = (why: string): Finding => ({ verdict: 'green', why });
export const red = (why: string): Finding => ({ verdict: 'red', why });
export const notApplicable = (why: string): Finding => ({ verdict: 'not-applicable', why });
export const unevaluable = (why: string): Finding => ({ verdict: 'unevaluable', why });

const WEIGHT: Readonly<Record<CaseVerdict, number>> = {
  green: 0,
  'not-applicable': 1,
  red: 2,
  unevaluable: 3,
};

/** Of several findings the one that counts: what cannot be told hides everything, red hides green. */
export const worst = (findings: readonly Finding[], otherwise: Finding): Finding =>
  findings.reduce(
    (most, next) => (WEIGHT[next.verdict] > WEIGHT[most.verdict] ? next : most),
    findings[0] ?? otherwise,
  );
