/** The world of the answers: so many agents with so many tools, each in one of so many segments. */
export const AGENTS = 100;
export const TOOLS = 200;
export const SEGMENTS = 20;
/** Of a hundred tools: those that read, half of them recorded after the answer; the others write. */
const READS = 0.8;

export interface Question {
  agent: string;
  tool: string;
  tier: string;
}

export type Kind = 'before' | 'after' | 'write';

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);

export const agents = numbered('agent-', AGENTS);
const tiers = numbered('tier-', SEGMENTS);
export const toolsOf: Readonly<Record<Kind, readonly string[]>> = {
  before: numbered('read-', (TOOLS * READS) / 2),
  after: numbered('quick-', (TOOLS * READS) / 2),
  write: numbered('write-', TOOLS * (1 - READS)),
};

const pick = <T>(of: readonly T[]): T => of[Math.floor(Math.random() * of.length)] as T;

/** Any of them; an agent is always in the same segment. */
export function anyQuestion(kind: Kind): Question {
  const n = Math.floor(Math.random() * AGENTS);
  return { agent: agents[n] ?? '', tool: pick(toolsOf[kind]), tier: tierOf(n) };
}

export const tierOf = (n: number): string => tiers[n % SEGMENTS] ?? '';

const ARGS = '{ type: object, properties: { id: { type: string } } }';

export const agentYaml = (agent: string): string => `agent: ${agent}
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
segments:
${tiers.map((tier) => `  - { name: ${tier}, when: 'context.tier == "${tier}"' }`).join('\n')}
tools:
${[...toolsOf.before, ...toolsOf.after].map((tool) => `  ${tool}: { kind: read, args: ${ARGS} }`).join('\n')}
${toolsOf.write.map((tool) => `  ${tool}: { kind: write, args: ${ARGS} }`).join('\n')}
`;

export const releaseYaml = (
  agent: string,
  release: number,
  approval: 'desk' | 'none',
): string => `agent: ${agent}
release: ${release}
grants:
  - { tool: [${toolsOf.before.join(', ')}] }
  - { tool: [${toolsOf.after.join(', ')}], record: after }
  - { tool: [${toolsOf.write.join(', ')}], approval: ${approval} }
`;

/**
 * The same for OPA: the segment is told by its conditions in their order, its release is the one in force there, and that
 * grants the tool or not.
 */
export const regoPolicy = `package portcullis

default allow := false

segment := [s.name | some s in data.agents[input.agent].segments; s.text == input.attributes[s.attribute]][0]

allow if {
	agent := data.agents[input.agent]
	release := agent.inForce[segment]
	agent.releases[release].grants[input.tool].approval == "none"
	is_object(input.args)
	is_string(input.args.id)
}
`;

export const regoData = (): string => {
  const granted = Object.values(toolsOf).flat();
  const grants = Object.fromEntries(granted.map((tool) => [tool, { approval: 'none' }]));
  const segments = tiers.map((tier) => ({ name: tier, attribute: 'tier', text: tier }));
  const inForce = Object.fromEntries(tiers.map((tier) => [tier, '2']));
  const agent = { segments, inForce, releases: { 2: { grants } } };
  return JSON.stringify({ agents: Object.fromEntries(agents.map((name) => [name, agent])) });
};

/** A question as `regoPolicy` takes it. */
export const regoInput = ({ agent, tool, tier }: Question) => ({
  agent,
  tool,
  attributes: { tier },
  args: { id: 'R-1' },
});
