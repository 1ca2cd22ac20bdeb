import { type Agent, segmentNames } from '../agent.ts';
import type { Truth } from '../cel/cel.ts';
import type { DecisionRequest } from '../decision.ts';
import { describeGrant } from '../manifest/diff.ts';
import type { ApprovalPolicy, Release } from '../release.ts';
import { compileAgent, compileRelease } from './compile.ts';
import { type Decision, decide } from './decide.ts';
import { renderSummary } from './summary.ts';

/** One grant of the tool, and whether its condition holds for the call; one without a condition always does. */
export interface TriedGrant {
  name: string;
  says: string;
  condition: Truth;
}

/** What a release would answer to one call, and why. */
export interface TriedCall extends Pick<Decision, 'outcome' | 'reasons' | 'segment' | 'risk'> {
  agent: string;
  release: string;
  tool: string;
  summary?: string;
  grant?: string;
  approval?: ApprovalPolicy;
  /** Every grant of the tool, in the order of the manifest. */
  grants: TriedGrant[];
}

/**
 * Decides one call with the release in force in every segment: no switch, no rollout, no standing approval, nothing
 * earned, no limit reached.
 */
export function tryCall(agent: Agent, release: Release, request: DecisionRequest): TriedCall {
  const [compiled, grants] = [compileAgent(agent), compileRelease(release, agent)];
  const version = release.release;
  const { outcome, reasons, segment, risk, grant, approval } = decide(request, {
    agent: compiled,
    switches: [],
    inForce: Object.fromEntries(segmentNames(agent).map((name) => [name, version])),
    releases: { [version]: grants },
  });
  const tool = compiled.tools.get(request.tool);
  const { args, attributes: context, subject } = request;
  return {
    agent: agent.agent,
    release: version,
    tool: request.tool,
    ...(tool && { summary: renderSummary(tool, args) }),
    outcome,
    segment,
    risk,
    ...(grant && { grant: grant.name }),
    ...(outcome === 'pending' && approval && { approval }),
    reasons,
    grants: (grants.grants.get(request.tool) ?? []).map((one) => ({
      name: one.name,
      says: describeGrant(one.grant),
      condition: one.matches?.({ args, context, subject }) ?? 'true',
    })),
  };
}
