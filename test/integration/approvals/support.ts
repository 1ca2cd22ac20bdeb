import { answerAction } from '../../../src/approvals/answer.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import type { Services } from '../../../src/services.ts';
import { approverActor, givenAdopted } from '../../support/fixtures.ts';

/** Two groups, a lead, an emergency group; olga owns it, dora deploys it. */
export const BANK_AGENT = `agent: desk
people:
  olga: {}
  dora: {}
  ana: { email: ana@bank.test, slack: U0ANA/T0BANK }
  ben: {}
  cleo: {}
  dan: {}
  eve: {}
owners: [olga]
deployers: [dora]
onCall: [cleo]
approvers: { desk: [ana, ben, olga], legal: [ben, cleo], leads: [dan], emergency: [eve] }
attributes: { tier: string }
metrics:
  wrong: { unit: conversation, business: workload, corrections: true, denials: true }
tools:
  pay:
    kind: write
    risk: low
    risks: [{ when: args.amount > 1000, risk: high }]
    summary: "Pay {amount} to {to}"
    redact: [iban]
    args:
      type: object
      required: [amount, to]
      additionalProperties: false
      properties: { amount: { type: integer }, to: { type: string }, iban: { type: string } }
  wire: { kind: write, args: { type: object, required: [amount], properties: { amount: { type: integer } } } }
`;

/** The agent with one release whose grant for \`pay\` asks in this way (YAML of \`approval\`). */
export async function givenBank(services: Services, approval: string, more = ''): Promise<void> {
  const releaseYaml = `agent: desk
release: 1
grants:
  - { tool: pay, approval: ${approval}${more && `, ${more}`} }
  - { tool: wire, approval: { group: desk, standing: forbidden } }
`;
  await givenAdopted(services, { agentYaml: BANK_AGENT, releaseYaml });
}

export const approve = (services: Services, { id }: { id: string }, person: string, more = {}) =>
  answerAction(services, approverActor(person), { id, verdict: 'approve', ...more });

export const deny = (services: Services, { id }: { id: string }, person: string, reason = 'no') =>
  answerAction(services, approverActor(person), { id, verdict: 'deny', reason });

export const stateOf = async (services: Services, { id }: Pick<ActionRow, 'id'>) =>
  (await actionById(services.db.sql, id)).state;

/** The code of what it throws, or 'none'. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string; details?: { because?: string } }) =>
      error.details?.because ?? error.code ?? String(error),
  );
