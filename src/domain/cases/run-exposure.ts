import { checkAttributes, declaredOnly, ownValue } from '../decision/attributes.ts';
import { Meter } from '../schema/meter.ts';
import type { RegressionCase } from './case.ts';
import { type Finding, green, notApplicable, red, unevaluable } from './result.ts';
import type { CaseWorld } from './world.ts';

const EVERY_OTHER = '*';

/** How much of a segment, found by attributes and never by name, meets the release in one phase of its rollout. */
export function runExposure({ given, expect }: RegressionCase, { agent, release }: CaseWorld): Finding {
  const attributes = given.attributes ?? {};
  const problem = checkAttributes(attributes, agent);
  if (problem) return unevaluable(`${problem.code}: ${problem.message}`);
  const found = agent.segmentOf({ context: declaredOnly(attributes, agent), meter: new Meter() });
  if (found.failed) return unevaluable(`The condition of segment "${found.segment.name}" failed`);
  const phase = given.phase ?? 'constrained';
  const steps = release.release.rollout[phase];
  if (steps === undefined) return notApplicable(`The release leaves its ${phase} steps to the defaults`);
  const { name } = found.segment;
  const most = Math.max(0, ...steps.map(({ exposure }) => exposedIn(exposure, name)));
  const said = `${most} % of segment "${name}" meets it in the ${phase} phase`;
  return most > (expect.exposedAtMost ?? 0)
    ? red(`${said}, not at most ${expect.exposedAtMost} %`)
    : green(said);
}

const exposedIn = (exposure: Readonly<Record<string, number>>, segment: string): number =>
  ownValue(exposure, segment) ?? ownValue(exposure, EVERY_OTHER) ?? 0;
