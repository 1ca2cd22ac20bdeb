import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { call } from '../../support/api.ts';
import { actorOf, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { follow } from './event-client.ts';
import { type EventDesk, openEventDesk } from './event-desk.ts';

describeWithServices('streams of events', (make) => {
  let desk: EventDesk;
  let { services, as, another, number, head } = {} as EventDesk;
  beforeAll(async () => {
    desk = await openEventDesk(make);
    ({ services, as, another, number, head } = desk);
  });
  afterAll(() => desk.close());

  test('the place moves on with the heartbeat, also where nothing is wanted', async () => {
    const { url } = await another({ heartbeatMs: 50, pollMs: 20 });
    const stream = await as('auditor', '?kinds=rollout', {}, url);
    await givenPendingAction(services);
    await number();
    const last = String(await head());
    await expect.poll(() => stream.place()).toBe(last);
    expect(stream.events).toEqual([]);
    expect(stream.text()).toContain(': still here\n\n');
    stream.leave();
  });

  test('beyond the bound it is refused with Retry-After, until somebody leaves', async () => {
    const { url } = await another({}, { streams: 2 });
    const first = await as('auditor', '', {}, url);
    await as('agent', '', {}, url);
    const third = await as('ana', '', {}, url);
    expect(third).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await third.ended;
    expect(JSON.parse(third.text())).toMatchObject({ code: 'too_many_streams', retry: true });
    first.leave();
    await expect.poll(async () => (await as('ana', '', {}, url)).status).toBe(200);
  });

  test('a token that is revoked or expires ends its streams within seconds, and no others', async () => {
    const { url } = await another({ tokensMs: 200, pollMs: 50 });
    const soon = new Date(services.clock.now().getTime() + 60_000);
    const revoked = await givenToken(services, 'auditor');
    const expiring = await givenToken(services, 'auditor', { expiresAt: soon });
    const [one, two, stays] = await Promise.all([
      follow(url, '', { headers: revoked.headers }),
      follow(url, '', { headers: expiring.headers }),
      as('auditor', '', {}, url),
    ]);
    await revokeToken(services, actorOf('admin'), revoked.id);
    await one.ended;
    services.clock.moveTo(new Date(soon.getTime() + 1));
    await two.ended;
    await givenPendingAction(services);
    await number();
    await stays.count(1);
    expect(two.events).toEqual([]);
    stays.leave();
  });

  test('connections to the database that break are no end of a stream', async () => {
    const { url } = await another({ pollMs: 20 });
    const stream = await as('auditor', '', {}, url);
    await givenPendingAction(services);
    await number();
    await stream.count(1);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(services.db.sql);
    await expect.poll(() => givenPendingAction(services).then(() => 'asked', String)).toBe('asked');
    await number();
    expect((await stream.count(2))[1]).toMatchObject({ kind: 'action.asked' });
    stream.leave();
  });

  test('close() ends the streams at once', async () => {
    const { app, url } = await another({});
    const stream = await as('auditor', '', {}, url);
    const startedAt = performance.now();
    await Promise.all([app.close(), stream.ended]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('who is far behind gets its entries while others read from the beginning', async () => {
    const { url } = await another({ page: 50, pollMs: 20 });
    const entries = 5_000;
    const append = (count: number) =>
      sql`SELECT log_append('action.decision', 'desk', gen_random_uuid()::text, ${services.clock.now()}, 'ana', '{}')
        FROM generate_series(1, ${count}::int)`.execute(services.db.sql);
    await append(entries);
    while ((await number()) > 0);
    const middle = await head();
    await append(entries);
    while ((await number()) > 0);
    const wholeLog = (await head()) - 1;
    const fromStart = await Promise.all(
      [0, 300, 600].map((after) => as('auditor', `?after=${after}`, {}, url)),
    );
    const behind = await as('auditor', `?after=${middle}`, {}, url);
    await behind.count(1);
    expect(fromStart.map(({ events }) => events.length < wholeLog / 4)).toEqual([true, true, true]);
    await behind.count(entries);
    for (const { events } of fromStart) expect(events.length).toBeLessThan(wholeLog * 0.8);
    // Whoever stands at the end waits for none of them.
    const now = await as('auditor', '', {}, url);
    await givenPendingAction(services);
    await number();
    await now.count(1);
    for (const stream of [...fromStart, behind, now]) stream.leave();
  });

  test('a slow reader does not make memory grow, is let go, and loses nothing when it comes back', async () => {
    const { app, url } = await another({ page: 50, heartbeatMs: 200, stalledMs: 600, pollMs: 20 });
    const waiting: (() => number)[] = [];
    app.server.on('request', (_, response) => waiting.push(() => response.writableLength));
    const from = await head();
    const entries = 3_000;
    await sql`SELECT log_append('action.decision', 'desk', gen_random_uuid()::text, ${services.clock.now()}, 'ana',
        jsonb_build_object('reason', repeat('x', 8000))) FROM generate_series(1, ${entries}::int)`.execute(
      services.db.sql,
    );
    while ((await number()) > 0);
    const slow = await as('auditor', `?after=${from}`, { paused: true }, url);
    const quick = await as('auditor', `?after=${from}`, {}, url);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, waiting[0]?.() ?? 0);
    }, 5);
    await quick.count(entries);
    await expect.poll(() => waiting[0]?.()).toBe(0);
    clearInterval(watch);
    expect(most).toBeLessThan(50 * 10_000);
    slow.resume();
    await slow.ended;
    expect(slow.events.length).toBeLessThan(entries);
    const rest = await as('auditor', '', { lastEventId: slow.place() }, url);
    await rest.count(entries - slow.events.length);
    const seqs = [...slow.events, ...rest.events].map(({ seq }) => seq);
    expect(seqs).toEqual(quick.events.map(({ seq }) => seq));
  });

  test('a stream is counted when it begins, and is no measure of latency', async () => {
    const { app, url } = await another({});
    (await as('auditor', '', {}, url)).leave();
    const { text } = await call(app, 'GET /metrics');
    expect(text).toContain('requests_total{method="GET",route="/v1/events",status="200"} 1');
    expect(text).not.toContain('seconds_count{method="GET",route="/v1/events"}');
  });
});
