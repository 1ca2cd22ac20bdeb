import { type Agent, segmentNames } from '../agent.ts';
import { compileAgent, compileRelease } from '../decision/compile.ts';
import type { CompiledAgent, CompiledRelease } from '../decision/compiled.ts';
import type { World } from '../decision/decide.ts';
import type { DecisionRequest } from '../decision.ts';
import { digestOf } from '../digest.ts';
import type { Release } from '../release.ts';
import type { CaseAsk } from './case.ts';

/** One release of one agent, in force in every segment: no rollout, nothing standing, nothing earned, no limit used. */
export interface CaseWorld {
  agent: CompiledAgent;
  release: CompiledRelease;
  world: World;
}

/** The world in which the cases of a release are run. Compiles once; a suite of thousands shares it. */
export function caseWorld(agent: Agent, release: Release): CaseWorld {
  const compiled = compileAgent(agent);
  const grants = compileRelease(release, agent);
  const inForce = Object.fromEntries(segmentNames(agent).map((name) => [name, release.release]));
  const world = { agent: compiled, switches: [], inForce, releases: { [release.release]: grants } };
  return { agent: compiled, release: grants, world };
}

/** What a case asks, as the gate is asked. */
export function requestOf(ask: CaseAsk, agentVersion: string | undefined): DecisionRequest {
  const subject = ask.subject ?? 'case';
  return {
    tool: ask.tool ?? '',
    args: ask.args ?? {},
    attributes: ask.attributes ?? {},
    claimed: ask.claimed ?? {},
    subject,
    vouched: ask.vouched ?? subject,
    ...(agentVersion !== undefined && { agentVersion }),
  };
}

/** SHA-256 of the RFC 8785 form of a tool as its agent declares it; undefined where it does not. */
export function definitionOf({ tools }: Pick<Agent, 'tools'>, tool: string): string | undefined {
  return Object.hasOwn(tools, tool) ? `sha256:${digestOf(tools[tool])}` : undefined;
}

/** Whether the release speaks of a tool at all. */
export const speaksOf = ({ agent, release }: CaseWorld, tool: string): boolean =>
  agent.tools.has(tool) && (release.grants.get(tool)?.length ?? 0) > 0;
