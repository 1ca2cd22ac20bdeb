import { expect } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { quorumOf } from '../../../src/domain/release.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep, lockBaseline } from '../../../src/rollouts/moves.ts';
import type { Services } from '../../../src/services.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  agentActor,
  approverActor,
  givenAdopted,
  givenAsked,
  givenRelease,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import type { MakeServices, TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

export const begin = (
  services: Services,
  { id }: { id: string },
  executionId = 'e-1',
  actor = agentActor(),
) => beginAction(services, actor, { id, executionId });

export const approve = (services: Services, { id }: { id: string }, person = 'ana') =>
  answerAction(services, approverActor(person), { id, verdict: 'approve' });

/** Runs `body` while cancellations are switched off. */
export async function whileStopped(services: Services, body: () => Promise<void>): Promise<void> {
  const scope = 'tool/desk/cancel';
  await disable(services, onCallActor(), { scope, reason: 'fire' });
  try {
    await body();
  } finally {
    await enable(services, onCallActor(), { scope, reason: 'out' });
  }
}

export const row = (services: Services, { id }: { id: string }) => actionById(services.db.sql, id);

export async function entries(
  services: Services,
  ref: string,
  kind: string,
): Promise<Record<string, unknown>[]> {
  const rows = await writtenLog(services.db.sql)
    .select('body')
    .where('ref', '=', ref)
    .where('kind', '=', kind)
    .orderBy('n')
    .execute();
  return rows.map(({ body }) => JSON.parse(body));
}

/** No execution, no credential, no entry of a begin. */
export async function expectNotBegun(services: Services, { id }: { id: string }): Promise<void> {
  expect(await row(services, { id })).toMatchObject({ execution_id: null, began_at: null });
  expect(await credentialsOf(services, { id })).toEqual([]);
  expect(await entries(services, id, 'action.begun')).toEqual([]);
}

export const credentialsOf = (services: Services, { id }: { id: string }) =>
  services.db.sql
    .selectFrom('credential')
    .select(['jti', 'revoked_at'])
    .where('action_id', '=', id)
    .orderBy('issued_at')
    .orderBy('revoked_at')
    .execute();

/** One store for tests that leave nothing but actions behind. */
export function sharedDesk(make: MakeServices): () => Promise<TestServices> {
  let desk: Promise<TestServices> | undefined;
  const open = async () => {
    const services = await make();
    await givenAdopted(services);
    return services;
  };
  return () => {
    desk ??= open();
    return desk;
  };
}

const ROLLOUT_RELEASE = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
  - { tool: refund, approval: { group: desk, quorum: 2, expiresIn: 2h } }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  constrained: [{ days: 30, exposure: { gold: 100, default: 10 }, writes: as-granted }]
  scale: [{ days: 30, exposure: { '*': 100 } }]
`;

/** A rollout in its first exposed step: all of gold and a tenth of the others are in the candidate. */
export async function givenExposed(services: TestServices) {
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, ROLLOUT_RELEASE);
  const { id } = await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'try' });
  const planned = async () => ({ id, ...(await rolloutFacts(services, id)) });
  await lockBaseline(services, await planned());
  await enterStep(services, await planned(), 1);
  return { rollout: id, planned };
}

/** Approved by both; of the control arm where the tier is exposed to a tenth. */
export async function givenApprovedIn(
  services: TestServices,
  tier: string,
  tool = 'cancel',
): Promise<ActionRow> {
  const args = tool === 'refund' ? { amount: 5 } : { id: 'R-1' };
  for (let n = 0; ; n++) {
    const actor = agentActor({ attributes: { tier } });
    const { action } = await givenAsked(services, { tool, args, subject: `${tier}-${n}` }, actor);
    if (action.state !== 'pending') continue;
    for (const person of ['ana', 'ben'].slice(0, quorumOf(action.approval ?? undefined))) {
      await approve(services, action, person);
    }
    return row(services, action);
  }
}
