import { expect, test } from 'vitest';
import { POST_GAP_MS, reservePost } from '../../../src/cards/posting/pacing.ts';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { systemClock } from '../../../src/clock.ts';
import { startFakeSlack } from '../../fakes/slack/server.ts';
import { testPostgres } from '../../support/context.ts';
import { createDatabase, dropDatabase } from '../../support/postgres.ts';
import { describeWithServices, servicesAt } from '../../support/services.ts';

const AT_ONCE = 20;

describeWithServices('reservePost()', (make) => {
  test('gives everybody a moment of their own, first come first, one channel apart from another', async () => {
    const { db, clock } = await make();
    const startMs = clock.now().getTime();
    const offset = async (channel: string) => (await reservePost(db.sql, clock, channel)).getTime() - startMs;
    expect([await offset('C1'), await offset('C1'), await offset('C1')]).toEqual([
      0,
      POST_GAP_MS,
      2 * POST_GAP_MS,
    ]);
    expect(await offset('C2')).toBe(0);
    const atOnce = await Promise.all(Array.from({ length: AT_ONCE }, () => offset('C2')));
    expect(atOnce.sort((a, b) => a - b)).toEqual(atOnce.map((_, at) => (at + 1) * POST_GAP_MS));
  });

  test('never gives a moment that has passed: a channel that was quiet is free at once', async () => {
    const { db, clock } = await make();
    await reservePost(db.sql, clock, 'C1');
    clock.advance(500);
    const early = await reservePost(db.sql, clock, 'C1');
    expect(early.getTime() - clock.now().getTime()).toBe(POST_GAP_MS - 500);
    clock.advance(3_600_000);
    expect(await reservePost(db.sql, clock, 'C1')).toEqual(clock.now());
  });

  test('whoever posts at their moment is never rate limited; whoever does not wait is', async () => {
    const { db, clock } = await make();
    await using slack = await startFakeSlack({
      channels: [{ id: 'C1', name: 'desk' }],
      rateLimit: { burst: 1 },
      now: () => clock.now().getTime(),
    });
    const client = createSlackClient({ botToken: slack.tokens.bot, apiUrl: slack.url });
    const message = { text: 'a card', blocks: [] };
    for (let i = 0; i < 10; i++) {
      clock.moveTo(await reservePost(db.sql, clock, 'C1'));
      await createSlackPort(client, clock).post('C1', message);
    }
    await expect(createSlackPort(client, clock).post('C1', message)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 1_000,
    });
    expect(slack.calls('chat.postMessage').map(({ status }) => status)).toEqual([
      ...Array.from({ length: 10 }, () => 200),
      429,
    ]);
  });
});

test('two processes on one Postgres never get the same moment', async () => {
  const url = await createDatabase(testPostgres());
  const processes = [await servicesAt(url), await servicesAt(url)];
  const moments = await Promise.all(
    Array.from({ length: 100 }, (_, i) => {
      const { db } = processes[i % 2] ?? processes[0] ?? {};
      if (!db) throw new Error('no process');
      return reservePost(db.sql, systemClock, 'C1');
    }),
  );
  const sorted = moments.map((at) => at.getTime()).sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, i) => at - (sorted[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(POST_GAP_MS);
  await Promise.all(processes.map((each) => each.close()));
  await dropDatabase(testPostgres(), url);
});
