import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { type Decision, decide, type World } from '../../../../src/domain/decision/decide.ts';
import type { DecisionRequest } from '../../../../src/domain/decision.ts';
import { agentOf, releaseOf } from '../manifest/fixtures.ts';

export const agent = agentOf();
const compiled = compileAgent(agent);
const SEGMENTS = ['gold', 'silver', 'default'];

/** A world with `grants` in force everywhere. */
export function worldOf(grants: readonly Record<string, unknown>[], more: Partial<World> = {}): World {
  const inForce = Object.fromEntries(SEGMENTS.map((name) => [name, '1']));
  return {
    agent: compiled,
    switches: [],
    inForce,
    releases: { 1: compileRelease(releaseOf(grants), agent) },
    ...more,
  };
}

export const ask = (more: Partial<DecisionRequest>, world: World): Decision =>
  decide(
    { tool: 'cancel', args: { id: 'a' }, attributes: { tier: 'gold' }, claimed: {}, subject: 's', ...more },
    world,
  );
export const codes = (decision: Decision): string[] => decision.reasons.map(({ code }) => code);

export const lenient = worldOf([
  { tool: ['lookup'] },
  { tool: 'cancel', approval: 'none' },
  { tool: 'refund', approval: 'desk' },
]);
