import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFollowActivities } from '../../../activities/follow.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { approverActor, givenAdopted, givenPendingAction } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { CHANNEL, SLACK_AGENT_YAML } from './support.ts';

const AT_ONCE = 200;
/** As many as a worker follows at once. */
const SLOTS = 50;
const SECOND_MS = 1_000;
const FLOOR_MS = 100;

let services: TestServices;
let slack: FakeSlack;
beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services, { agentYaml: SLACK_AGENT_YAML });
  slack = await startFakeSlack({
    users: [{ id: 'U0ANA' }, { id: 'U0BEN' }, { id: 'U0OLGA' }, { id: 'U0CLEO' }],
    channels: [{ id: CHANNEL, name: 'desk' }],
    rateLimit: { burst: 1 },
    now: () => services.clock.now().getTime(),
  });
});
afterAll(async () => {
  await slack.stop();
  await services.close();
});

/** Two workers that live through the given time with these actions; answers what they posted, with its moment. */
async function live(ids: readonly string[], forMs: number): Promise<void> {
  const workers = [0, 1].map(() => {
    const client = createSlackClient({ botToken: slack.tokens.bot, apiUrl: slack.url });
    return createFollowActivities({ services, slack: createSlackPort(client, services.clock) });
  });
  const endMs = services.clock.now().getTime() + forMs;
  const dueMs = new Map(ids.map((id) => [id, services.clock.now().getTime()]));
  for (let turn = 0; ; turn++) {
    const nextMs = Math.min(...dueMs.values());
    if (nextMs > endMs) break;
    services.clock.moveTo(new Date(nextMs));
    const due = [...dueMs].filter(([, atMs]) => atMs <= nextMs).map(([id]) => id);
    const follow = async (id: string, n: number) => {
      const worker = workers[(turn + n) % 2] ?? expect.fail();
      const { final, waitMs } = await worker.followAction(id);
      if (final) dueMs.delete(id);
      else dueMs.set(id, nextMs + Math.max(FLOOR_MS, waitMs));
    };
    for (let from = 0; from < due.length; from += SLOTS)
      await Promise.all(due.slice(from, from + SLOTS).map(follow));
  }
  services.clock.moveTo(new Date(endMs));
}

const notices = () => slack.messages(CHANNEL).filter(({ text }) => text.includes('wait to be posted here'));

test('two hundred at once in one channel: one post a second, none lost, none doubled, people told at once', {
  timeout: 300_000,
}, async () => {
  const startMs = services.clock.now().getTime();
  const ids: string[] = [];
  for (let n = 0; n < AT_ONCE; n++) ids.push((await givenPendingAction(services)).id);
  await live(ids, 3 * SECOND_MS);
  expect(notices()).toHaveLength(1);
  const [notice] = notices();
  expect(notice?.text).toMatch(/^\*1\d\d requests wait to be posted here\*, the last at .*\/queue/);
  expect((notice?.at ?? 0) - startMs).toBeLessThan(3 * SECOND_MS);
  const queued = await services.db.sql
    .selectFrom('action')
    .select('id')
    .where((where) => where(where.ref('reach', '->>').key('state'), '=', 'queued'))
    .execute();
  expect(queued.length).toBeGreaterThan(AT_ONCE - 10);
  const [early = ''] = ids.slice(-1);
  await answerAction(services, approverActor(), { id: early, verdict: 'approve' });
  await live(ids, (AT_ONCE + 40) * SECOND_MS);
  const posted = slack.messages(CHANNEL).map(({ text }) => text);
  const cards = ids.map((id) => [id, posted.filter((text) => text.includes(id)).length]);
  expect(cards).toEqual(ids.map((id) => [id, id === early ? 0 : 1]));
  expect(slack.calls('chat.postMessage').filter(({ status }) => status !== 200)).toEqual([]);
  const rows = await services.db.sql
    .selectFrom('action')
    .select('reach')
    .where('state', '=', 'pending')
    .execute();
  expect(new Set(rows.map(({ reach }) => reach?.state))).toEqual(new Set(['delivered']));
  expect(await services.db.sql.selectFrom('alert').selectAll().execute()).toEqual([]);
  expect(await services.db.sql.selectFrom('post').selectAll().execute()).toEqual([]);
  expect(slack.calls('chat.update').length).toBeLessThan(5);
});

test('when Slack asks to wait, everybody waits in the same order and is posted once', async () => {
  slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 20 });
  services.clock.advance(60 * SECOND_MS);
  const before = slack.messages(CHANNEL).length;
  const refused = slack.calls('chat.postMessage').filter(({ status }) => status === 429).length;
  const ids: string[] = [];
  for (let n = 0; n < 8; n++) ids.push((await givenPendingAction(services)).id);
  for (const id of ids) await live([id], 0);
  await live(ids, 19 * SECOND_MS);
  expect(slack.messages(CHANNEL)).toHaveLength(before);
  await live(ids, 15 * SECOND_MS);
  const posted = slack.messages(CHANNEL).slice(before);
  expect(posted.map(({ text }) => ids.findIndex((id) => text.includes(id)))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7,
  ]);
  expect(slack.calls('chat.postMessage').filter(({ status }) => status === 429)).toHaveLength(refused + 1);
});

test('a notice whose turn comes when the wait is over is forgotten, not left for ever', async () => {
  await services.db.sql
    .insertInto('post')
    .values({ ref: `saturation/${CHANNEL}/1`, channel: CHANNEL, due_at: services.clock.now(), tries: 0 })
    .execute();
  const before = notices().length;
  await live([(await givenPendingAction(services)).id], 5 * SECOND_MS);
  expect(await services.db.sql.selectFrom('post').select('ref').execute()).toEqual([]);
  expect(notices()).toHaveLength(before);
});
