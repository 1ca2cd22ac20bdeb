import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import type { AnswerInput } from '../../../src/approvals/answer-input.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import type { Services } from '../../../src/services.ts';
import {
  AGENT_YAML,
  agentActor,
  approverActor,
  givenAdopted,
  givenPendingAction,
} from '../../support/fixtures.ts';

/** More people than the usual desk: dave answers nothing by himself, finn may break the glass, dora deploys. */
export const PEOPLE_YAML = AGENT_YAML.replace(
  /people: .*\n/,
  'people: { olga: {}, ana: {}, ben: {}, cleo: {}, dave: {}, eve: {}, finn: {}, dora: {} }\ndeployers: [dora]\n',
)
  .replace(/approvers: .*\n/, 'approvers: { desk: [ana, ben], legal: [ben, eve], leads: [finn] }\n')
  .concat('  waive: { kind: write }\n');

export const PEOPLE_RELEASE_YAML = `agent: desk
release: 1
grants:
  - { tool: lookup }
  - { tool: cancel, approval: { group: desk, breakGlass: leads } }
  - { tool: refund, approval: { stages: [{ group: desk, quorum: 2 }, { group: legal }], expiresIn: 2h } }
  - { tool: waive, approval: { stages: [{ group: desk }, { group: legal }] } }
`;

export const givenPeople = (services: Services, releaseYaml = PEOPLE_RELEASE_YAML) =>
  givenAdopted(services, { agentYaml: PEOPLE_YAML, releaseYaml });

export const givenRefund = (services: Services): Promise<ActionRow> =>
  givenPendingAction(services, { tool: 'refund', args: { amount: 5 } });

/** Answers; approves unless `more` says otherwise. */
export const answer = (
  services: Services,
  { id }: Pick<ActionRow, 'id'>,
  person: string,
  more: Partial<AnswerInput> = {},
) => answerAction(services, approverActor(person), { id, verdict: 'approve', ...more });

/** Approved alone by finn. */
export async function givenBrokenGlass(services: Services): Promise<ActionRow> {
  const action = await givenPendingAction(services);
  const glass = { breakGlass: true, reason: 'The hotel burns' };
  return (await answer(services, action, 'finn', glass)).action;
}

/** Begun and reported as done. */
export async function execute(services: Services, { id }: Pick<ActionRow, 'id'>): Promise<ActionRow> {
  await beginAction(services, agentActor(), { id, executionId: 'e-1' });
  return completeAction(services, agentActor(), { id, executionId: 'e-1', ok: true });
}
