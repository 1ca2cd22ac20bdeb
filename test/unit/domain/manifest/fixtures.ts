import { type Agent, agentSchema } from '../../../../src/domain/agent.ts';
import { type Release, releaseSchema } from '../../../../src/domain/release.ts';

/** A valid agent in 13 lines: one read, two writes, two segments. */
export const AGENT_YAML = `agent: desk
people: { olga: {}, ana: {}, ben: {} }
owners: [olga]
approvers: { desk: [ana, ben] }
attributes: { tier: string, age: int }
segments:
  - { name: gold, when: context.tier == "gold" }
  - { name: silver, when: context.tier == "silver", representative: false }
metrics: { wrong: { unit: conversation, business: workload } }
tools:
  lookup: { kind: read, scopes: ["order:read"] }
  cancel: { scopes: ["order:cancel"], args: { type: object, required: [id], properties: { id: { type: string }, note: { type: string } } } }
  refund: { args: { type: object, required: [amount], properties: { amount: { type: integer } } } }
`;

/** A valid release in 6 lines. */
export const RELEASE_YAML = `agent: desk
release: 1
grants:
  - { tool: lookup }
  - { tool: cancel, approval: desk }
  - { tool: refund, approval: desk }
`;

export type AgentInput = Parameters<typeof agentSchema.parse>[0];

export const agentOf = (more: Record<string, unknown> = {}): Agent =>
  agentSchema.parse({
    agent: 'desk',
    people: { olga: {}, ana: {}, ben: {} },
    owners: ['olga'],
    approvers: { desk: ['ana', 'ben'] },
    attributes: { tier: 'string' },
    segments: [
      { name: 'gold', when: 'context.tier == "gold"' },
      { name: 'silver', when: 'context.tier == "silver"', representative: false },
    ],
    tools: {
      lookup: { kind: 'read' },
      cancel: {
        scopes: ['order:cancel'],
        args: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      },
      refund: { args: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer' } } } },
    },
    ...more,
  });

export const releaseOf = (
  grants: readonly Record<string, unknown>[],
  more: Record<string, unknown> = {},
): Release => releaseSchema.parse({ agent: 'desk', release: 1, grants, ...more });
