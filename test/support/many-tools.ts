const tool = (at: number): string => `  tool_${at}:
    summary: Do {id}
    redact: [card]
    risks: [{ when: args.amount > 100, risk: high }]
    args:
      type: object
      required: [id, amount]
      additionalProperties: false
      properties: { id: { type: string, pattern: "^[A-Z0-9]{6}$" }, amount: { type: integer, minimum: 0 }, card: { type: string, maxLength: 20 } }
`;
const grant = (at: number): string => `  - { tool: tool_${at}, when: args.amount < 100, approval: desk }\n`;
const many = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('');

/** The manifests of an agent with many tools, each with a schema, a condition and a grant. */
export const manyToolsYaml = (count: number) => ({
  agent: `agent: big
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
tools:
${many(count, tool)}`,
  release: `agent: big\nrelease: 1\ngrants:\n${many(count, grant)}`,
});
