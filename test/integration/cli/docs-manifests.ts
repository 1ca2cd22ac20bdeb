/** An agent as the docs have it; any name. */
export const agentYaml = (agent: string): string => `agent: ${agent}
testMode: true
people: { ana: {}, ben: {}, mia: {} }
owners: [ana]
reviews: { product: [ana], engineering: [ana], policy: [ana], operations: [ana] }
approvers: { desk: [ana, ben] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold" }]
metrics: { wrong: { unit: conversation, business: workload, corrections: true } }
tools:
  find_order: { kind: read }
  refund: { args: { type: object, properties: { amount: { type: number } }, required: [amount] } }
  send_email:
    args:
      type: object
      required: [to, subject]
      properties: { to: { type: string }, subject: { type: string } }
`;
/** A release of it; `email`: how mails are approved. */
export const release = (agent: string, version: string, email: string): string => `agent: ${agent}
release: ${version}
grants:
  - tool: find_order
  - { tool: send_email, approval: ${email} }
  - { tool: refund, name: refund-1, approval: { group: desk, breakGlass: desk }, earn: { above: 0.9 } }
rollout:
  signedOffBy: ana
  baseline: { days: 0.0001, gate: { verdicts: no-breach } }
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
`;
/** A regression case; `rest`: what it expects. */
export const caseYaml = (agent: string, name: string, rest: string): string => `case: ${name}
agent: ${agent}
kind: ask
says: A mail that nobody was asked about
given: { tool: send_email, args: { to: a, subject: b }, attributes: { tier: gold } }
${rest}
`;
