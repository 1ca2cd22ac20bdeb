import type { Agent } from '../agent.ts';
import type { Release } from '../release.ts';
import type { RegressionCase } from './case.ts';
import { type Mutation, type MutationKind, mutationsOf } from './mutations.ts';
import { findingOf } from './run.ts';
import { caseWorld } from './world.ts';

/** What became of one weakening: the case that noticed it first, by name, or none. */
export interface Weakening {
  kind: MutationKind;
  says: string;
  noticedBy?: string;
}

/** How much of what could be weakened a suite would notice. */
export interface Strength {
  agent: string;
  release: string;
  weakenings: number;
  noticed: number;
  /** In the order of the manifest. */
  all: Weakening[];
}

/**
 * Weakens a release in every way that its manifest has a place for, and runs the cases that are green on it as it is: one that
 * is not green any more has noticed. Pure: see `runCase`.
 */
export function strengthOf(agent: Agent, release: Release, cases: readonly RegressionCase[]): Strength {
  const world = caseWorld(agent, release);
  const green = cases
    .filter((one) => findingOf(one, world).verdict === 'green')
    .sort((one, other) => (one.case < other.case ? -1 : 1));
  const all = mutationsOf(agent, release).map((mutation): Weakening => {
    const noticedBy = noticing(mutation, green);
    const { kind, says } = mutation;
    return { kind, says, ...(noticedBy !== undefined && { noticedBy }) };
  });
  return {
    agent: agent.agent,
    release: release.release,
    weakenings: all.length,
    noticed: all.filter(({ noticedBy }) => noticedBy !== undefined).length,
    all,
  };
}

/** Gone is not noticed: a tool that the weaker release lacks is no permission. */
function noticing({ agent, release }: Mutation, green: readonly RegressionCase[]): string | undefined {
  const world = caseWorld(agent, release);
  return green.find((one) => ['red', 'unevaluable'].includes(findingOf(one, world).verdict))?.case;
}
