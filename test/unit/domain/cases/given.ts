import { readdirSync, readFileSync } from 'node:fs';
import type { Agent } from '../../../../src/domain/agent.ts';
import type { RegressionCase } from '../../../../src/domain/cases/case.ts';
import {
  formatProblems,
  type ManifestResult,
  readCase,
  readCaseValue,
  readManifest,
} from '../../../../src/domain/manifest/manifest.ts';
import type { Release } from '../../../../src/domain/release.ts';

const AIRLINE = new URL('../../../../examples/airline/', import.meta.url);
const textOf = (name: string): string => readFileSync(new URL(name, AIRLINE), 'utf8');

export function valid<T>(read: ManifestResult<T>): T {
  if (!read.ok) throw new Error(formatProblems(read.problems));
  return read.value;
}

export const airline: Agent = valid(readManifest('agent.yaml', textOf('agent.yaml'), 'agent'));
export const airlineRelease = (number: 1 | 2 | 3): Release => {
  const name = `release-${number}.yaml`;
  return valid(readManifest(name, textOf(name), 'release', airline));
};

/** The cases of examples/airline, by name. */
export const airlineCases = (): RegressionCase[] =>
  readdirSync(new URL('cases/', AIRLINE)).map((name) => valid(readCase(name, textOf(`cases/${name}`))));

/** A case about the airline's cancellations, with what a test changes of it. */
export const caseOf = (changed: Record<string, unknown> = {}): RegressionCase =>
  valid(readCaseValue(rawCase(changed)));

export const rawCase = (changed: Record<string, unknown> = {}): Record<string, unknown> => ({
  case: 'one',
  agent: 'airline-desk',
  kind: 'ask',
  says: 'A cancellation runs unasked',
  given: {
    tool: 'cancel_reservation',
    args: { reservation_id: 'AAA111' },
    attributes: { tier: 'silver', test_group: true, cancellable: '' },
  },
  expect: { atMost: 'ask:1' },
  ...changed,
});
