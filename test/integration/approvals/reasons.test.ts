import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { reasonSchema } from '../../../src/api/schemas.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { explainDenial } from '../../../src/approvals/explain.ts';
import { reviewBreakGlass } from '../../../src/approvals/review.ts';
import { readManifest } from '../../../src/domain/manifest/manifest.ts';
import { actionById } from '../../../src/records/action.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  actorOf,
  agentFrom,
  approverActor,
  givenPendingAction,
  givenRelease,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { answer, execute, givenBrokenGlass, givenPeople, PEOPLE_YAML } from './people.ts';

/** What people see nothing of, or nothing that says why. */
const NOTHING = {
  'a zero-width space': '\u200b',
  'a blank of Braille': '\u2800\u2800',
  'a Hangul filler': '\u3164',
  'a soft hyphen': '\u00ad',
  'a no-break space': '\u00a0',
  'a variation selector': '\ufe0f',
  tags: '\u{e0068}\u{e0069}',
  dots: ' ... ',
};
const SOMETHING = ['x', '7', '👍', '€', '理由', 'да', '\u200bok\u2800'];

let services: TestServices;
beforeAll(async () => {
  services = await createTestServices();
  const { agent } = await givenPeople(services);
  await givenRelease(services, agent, RELEASE_2_YAML);
  await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'x', id: 'r' });
});
afterAll(() => services.close());

describe.each(Object.entries(NOTHING))('%s is no reason', (_, reason) => {
  test('to switch off, nor on', async () => {
    await refused(disable(services, onCallActor(), { scope: 'agent/desk', reason }));
    await refused(enable(services, onCallActor(), { scope: 'agent/desk', reason }));
  });

  test('to steer, start, adopt or erase', async () => {
    await refused(runRolloutVerb(services, managerActor(), { id: 'r', verb: 'pause', reason }));
    await refused(startRollout(services, managerActor(), { agent: 'desk', release: '2', reason, id: 's' }));
    await refused(adoptRelease(services, managerActor(), { agent: 'desk', version: '1', reason }));
    await refused(eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'x', reason }));
  });

  test('to break the glass, nor to review that it was broken', async () => {
    const asked = await givenPendingAction(services);
    const glass = answer(services, asked, 'finn', { breakGlass: true, reason });
    await expect(glass).rejects.toMatchObject({ code: 'reason_needed' });
    expect(await actionById(services.db.sql, asked.id)).toMatchObject({ state: 'pending' });
    const { id } = await givenBrokenGlass(services);
    await refused(reviewBreakGlass(services, managerActor(), { id, justified: true, note: reason }));
  });

  test('to name a deputy, to explain a denial, to report a write', async () => {
    const endsAt = new Date(services.clock.now().getTime() + 3_600_000);
    await refused(createDeputy(services, approverActor(), { agent: 'desk', to: 'dave', endsAt, reason }));
    const denied = await givenPendingAction(services);
    await answer(services, denied, 'ana', { verdict: 'deny', reason });
    await refused(explainDenial(services, approverActor(), { id: denied.id, reason }));
    expect((await actionById(services.db.sql, denied.id)).deny_reason).toBeNull();
    const done = await givenPendingAction(services);
    await answer(services, done, 'ana');
    await execute(services, done);
    await refused(correctAction(services, approverActor(), { id: done.id, reason }));
  });

  test('on the API and in a manifest', () => {
    expect(reasonSchema.safeParse(reason).success).toBe(false);
    const yaml = `agent: desk\nrelease: 3\ngrants:\n  - { tool: cancel, deny: ${JSON.stringify(reason)} }\n`;
    const read = readManifest('release.yaml', yaml, 'release', agentFrom(PEOPLE_YAML));
    expect(read).toMatchObject({ ok: false, problems: [{ line: 4, path: 'grants[0].deny' }] });
  });
});

test.each(SOMETHING)('%s is a reason', async (reason) => {
  expect(reasonSchema.safeParse(reason).success).toBe(true);
  const denied = await givenPendingAction(services);
  await answer(services, denied, 'ana', { verdict: 'deny', reason });
  expect((await actionById(services.db.sql, denied.id)).deny_reason).toBe(reason);
});

const refused = (work: Promise<unknown>) =>
  expect(work).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('people can see'),
  });
