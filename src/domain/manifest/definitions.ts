import type { Agent } from '../agent.ts';
import { digestOf } from '../digest.ts';

/** What a rollout freezes of an agent: everything a judgement depends on, not the people. */
export const definitionsDigest = (agent: Agent): string =>
  digestOf({
    tools: agent.tools,
    segments: agent.segments,
    metrics: agent.metrics,
    attributes: agent.attributes,
    // Left out where there is none: a rollout from before goes on.
    ...(agent.lists && { lists: agent.lists }),
  });
