import { type CaseKind, caseDigest, type RegressionCase } from './case.ts';
import { type CaseResult, type Finding, unevaluable } from './result.ts';
import { runAsk } from './run-ask.ts';
import { runExposure } from './run-exposure.ts';
import { runSequence } from './run-sequence.ts';
import { runSeries } from './run-series.ts';
import { runCard, runCatalogue, runCredential } from './run-shown.ts';
import type { CaseWorld } from './world.ts';

const RUNNERS: Readonly<Record<CaseKind, (one: RegressionCase, world: CaseWorld) => Finding>> = {
  ask: runAsk,
  sequence: runSequence,
  credential: runCredential,
  series: runSeries,
  card: runCard,
  catalogue: runCatalogue,
  exposure: runExposure,
};

/**
 * What a case says of a release. Pure and total: no network, no issuer, no clock; what fails is `unevaluable`, never green.
 */
export function runCase(one: RegressionCase, world: CaseWorld): CaseResult {
  const { case: name, kind, says } = one;
  return { case: name, digest: caseDigest(one), kind, says, ...findingOf(one, world) };
}

/** The same without its digest, for those who run it thousands of times. */
export function findingOf(one: RegressionCase, world: CaseWorld): Finding {
  const { agent } = world.agent.agent;
  if (one.agent !== agent)
    return unevaluable(`It is about agent "${one.agent}", the release about "${agent}"`);
  try {
    return RUNNERS[one.kind](one, world);
  } catch (error) {
    return unevaluable(`It cannot be run: ${error instanceof Error ? error.message : 'it failed'}`);
  }
}
