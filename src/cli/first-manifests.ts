export const AGENT_FILE = 'agent.yaml';
export const RELEASE_FILE = 'release-1.yaml';
export const SCHEMA_FOLDER = '.portcullis/schemas';

/** Quoted only where YAML would read a number or a truth value. */
const yamlName = (name: string): string =>
  /^[a-zA-Z]/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);

const schemaLine = (kind: string): string => `# yaml-language-server: $schema=${SCHEMA_FOLDER}/${kind}.json`;

/** The agent: one tool that writes, and one person who owns and approves. At most 15 lines. */
export function agentYaml(agent: string, person: string): string {
  const who = yamlName(person);
  return `${schemaLine('agent')}
agent: ${yamlName(agent)}
testMode: true # you approve what your own agent asks: to try things out, never in production
people: { ${who}: {} }
owners: [${who}]
approvers: { reviewers: [${who}] }
tools:
  send_email:
    kind: write
    summary: Send "{subject}" to {to}
    scopes: ["email:send"]
    args:
      required: [to, subject]
      additionalProperties: false # nothing else may be sent
      properties: { to: { type: string }, subject: { type: string }, body: { type: string } }
`;
}

/** Its first release: every e-mail waits for a person. At most 15 lines. */
export const releaseYaml = (agent: string): string => `${schemaLine('release')}
agent: ${yamlName(agent)}
release: 1
description: Every e-mail waits for a person
grants:
  - tool: send_email
    approval: { group: reviewers, expiresIn: 1h }
    credential: { scopes: ["email:send"], ttl: 60s }
    limits: { perHour: 20 }
`;
