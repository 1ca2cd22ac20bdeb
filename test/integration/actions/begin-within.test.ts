import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { readCardFacts } from '../../../src/cards/card-facts.ts';
import { readManifest } from '../../../src/domain/manifest/manifest.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenPendingAction,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { read } from '../../unit/cards/facts.ts';

let services: TestServices;
beforeEach(async () => {
  services = await createTestServices();
});
afterEach(() => services.close());

const given = (approval: string) =>
  givenAdopted(services, {
    releaseYaml: RELEASE_YAML.replace('tool: cancel, approval: desk', `tool: cancel, approval: ${approval}`),
  });
const begin = ({ id }: ActionRow) => beginAction(services, agentActor(), { id, executionId: 'e' });

/** Approved this long before its time is over. */
async function approvedBefore(ms: number): Promise<ActionRow> {
  const asked = await givenPendingAction(services);
  services.clock.advance((asked.expires_at?.getTime() ?? 0) - services.clock.now().getTime() - ms);
  return (await answerAction(services, approverActor(), { id: asked.id, verdict: 'approve' })).action;
}

describe('an approval that counted shortly before the end', () => {
  test('leaves a minute to begin, and the card says until when', async () => {
    await given('desk');
    const approved = await approvedBefore(500);
    const until = new Date(services.clock.now().getTime() + 60_000);
    expect(approved.expires_at).toEqual(until);
    const shown = read(actionCard(await readCardFacts(services, approved.id)));
    expect(shown).toContain(
      `The agent may begin until ${until.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    );
    services.clock.advance(59_999);
    await sweepActions(services);
    expect((await begin(approved)).action.state).toBe('executing');
  });

  test('leaves no more than that', async () => {
    await given('desk');
    const approved = await approvedBefore(500);
    services.clock.advance(60_001);
    await expect(begin(approved)).rejects.toMatchObject({ code: 'too_late' });
    expect((await actionById(services.db.sql, approved.id)).state).toBe('expired');
  });

  test('leaves what the release says', async () => {
    await given('{ group: desk, beginWithin: 5m }');
    const approved = await approvedBefore(500);
    services.clock.advance(299_000);
    expect((await begin(approved)).action.state).toBe('executing');
  });

  test('that was received in time and counted after it leaves the same', async () => {
    await given('desk');
    const asked = await givenPendingAction(services);
    const receivedAt = new Date((asked.expires_at?.getTime() ?? 0) - 100);
    services.clock.advance((asked.expires_at?.getTime() ?? 0) - services.clock.now().getTime() + 2_000);
    const { action } = await answerAction(services, approverActor(), {
      id: asked.id,
      verdict: 'approve',
      receivedAt,
    });
    services.clock.advance(50_000);
    expect((await begin(action)).action.state).toBe('executing');
  });
});

test('an approval that came early takes nothing away from the time that was left', async () => {
  await given('desk');
  const approved = await approvedBefore(1_800_000);
  services.clock.advance(1_799_000);
  expect((await begin(approved)).action.state).toBe('executing');
});

test('a denial leaves no time, and no time at all is refused in a release', async () => {
  await given('desk');
  const asked = await givenPendingAction(services);
  const denied = await answerAction(services, approverActor(), { id: asked.id, verdict: 'deny' });
  expect(denied.action.expires_at).toEqual(asked.expires_at);
  const yaml =
    'agent: desk\nrelease: 2\ngrants:\n  - { tool: cancel, approval: { group: desk, beginWithin: 0s } }\n';
  expect(readManifest('r.yaml', yaml, 'release', agentFrom(AGENT_YAML))).toMatchObject({
    ok: false,
    problems: [{ line: 4, path: 'grants[0].approval.beginWithin' }],
  });
});
