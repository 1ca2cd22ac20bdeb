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

/** The same world for OPA: what may be done, as data, and the rule that looks it up. */
export const regoPolicy = `package portcullis

default allow := false

allow if {
	agent := data.agents[input.agent]
	agent.segments[input.tier]
	agent.tools[input.tool].allowed
	is_string(input.args.id)
}
`;

export const regoData = (): string => {
  const tools = Object.fromEntries(
    Object.values(toolsOf)
      .flat()
      .map((tool) => [tool, { allowed: true }]),
  );
  const segments = Object.fromEntries(tiers.map((tier) => [tier, true]));
  return JSON.stringify({ agents: Object.fromEntries(agents.map((agent) => [agent, { tools, segments }])) });
};
