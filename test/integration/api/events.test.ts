import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { decideAction } from '../../../src/actions/decide.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import type { ApiOptions } from '../../../src/api/server.ts';
import { createApi } from '../../../src/api/server.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  actorOf,
  agentActor,
  agentFrom,
  approverActor,
  givenApprovedAction,
  givenPendingAction,
  givenToken,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeBothStores, type TestServices } from '../../support/services.ts';
import { type Followed, type FollowRequest, follow } from './event-client.ts';

describeBothStores('GET /v1/events', (make, store) => {
  let api: TestApi;
  let services: TestServices;
  let base: string;
  const apps: FastifyInstance[] = [];
  const number = () => sequenceLog(services.db.sql);
  const headOf = async () => (await services.db.sql.selectFrom('log_chain').select('seq').execute()).length;
  /** Another process on the same store, with bounds of its own. */
  const another = async (streamLimits: ApiOptions['streamLimits']) => {
    const app = await createApi(services, { streamLimits });
    apps.push(app);
    return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
  };
  const as = (who: keyof TestApi['as'], query = '', more: FollowRequest = {}, url = base) =>
    follow(url, query, { ...more, headers: { ...api.as[who].headers, ...more.headers } });
  /** What a log reader sees of everything, for comparison. */
  const wholeLog = async () => {
    const rows = await services.db.sql
      .selectFrom('log_chain')
      .innerJoin('log_entry', 'log_entry.id', 'log_chain.entry_id')
      .select(['log_chain.seq', 'log_entry.kind'])
      .orderBy('log_chain.seq')
      .execute();
    return rows.filter(({ kind }) => /^(action|switch|rollout|incident)\./.test(kind));
  };

  beforeAll(async () => {
    api = await givenApi(make);
    services = api.services;
    base = await api.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await Promise.all([api.app, ...apps].map((app) => app.close()));
  });

  test('begins now, then tells what happens in the order of the log, and nothing of other kinds', async () => {
    await givenPendingAction(services);
    await number();
    const stream = await as('auditor');
    expect(stream).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
        'cache-control': 'no-store, no-transform',
      },
    });
    const before = await headOf();
    const { id } = await givenPendingAction(services);
    await decideAction(services, approverActor(), { id, verdict: 'approve' });
    await beginAction(services, agentActor(), { id, executionId: 'e' });
    await completeAction(services, agentActor(), { id, executionId: 'e', ok: true });
    await givenToken(services, 'auditor');
    await disable(services, onCallActor(), { scope: 'tool/desk/refund', reason: 'fire' });
    await number();
    const events = await stream.count(5);
    const states = events.map(({ kind, state, revision }) => [kind, state, revision]);
    expect(states).toEqual([
      ['action.asked', 'pending', 1],
      ['action.approved', 'approved', 2],
      ['action.begun', 'executing', 3],
      ['action.executed', 'executed', 4],
      ['switch.disabled', undefined, undefined],
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(
      (await wholeLog()).map(({ seq }) => seq).filter((seq) => seq > before),
    );
    expect(events[1]).toMatchObject({
      agent: 'desk',
      action: id,
      ref: id,
      actor: 'ana',
      data: { via: 'api' },
    });
    expect(stream.text()).toMatch(/^retry: \d+\nid: \d+\n: /);
    await enable(services, onCallActor(), { scope: 'tool/desk/refund', reason: 'out' });
    stream.leave();
  });

  test('an agent sees its own agent, without people and reasons; approvers without them too; admins nothing', async () => {
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML.replace('agent: desk', 'agent: bar')));
    const bar = await givenToken(services, 'agent', { agent: 'bar' });
    await number();
    const streams = {
      agent: await as('agent'),
      ana: await as('ana'),
      cleo: await as('cleo'),
      bar: await follow(base, '', { headers: bar.headers }),
    };
    const { id } = await givenPendingAction(services);
    await decideAction(services, approverActor(), { id, verdict: 'deny', reason: 'She is my aunt' });
    await disable(services, onCallActor(), { scope: 'everything', reason: 'my secret reason' });
    await number();
    await Promise.all([
      streams.agent.count(3),
      streams.ana.count(3),
      streams.cleo.count(3),
      streams.bar.count(1),
    ]);
    expect(streams.agent.events[1]).toEqual({
      ...{ seq: expect.any(Number), at: expect.any(String), kind: 'action.denied', agent: 'desk' },
      ...{ action: id, state: 'denied', revision: 2 },
    });
    for (const stream of [streams.agent, streams.ana, streams.bar])
      expect(stream.text()).not.toMatch(/aunt|secret|"ana"|"cleo"|"actor"|"data"/);
    expect(streams.cleo.text()).toMatch(/aunt[\s\S]*my secret reason/);
    expect(streams.bar.events.map(({ kind }) => kind)).toEqual(['switch.disabled']);
    for (const person of ['cleo', 'olga'])
      await enable(services, onCallActor(person), { scope: 'everything', reason: 'It is out' });
    const refused = async (query: string, headers: Record<string, string>) =>
      (await follow(base, query, { headers })).status;
    expect(await refused('', {})).toBe(401);
    expect(await refused('', api.as.admin.headers)).toBe(403);
    expect(await refused('?agent=bar', api.as.agent.headers)).toBe(403);
    expect(await refused(`?action=${id}`, bar.headers)).toBe(404);
    for (const stream of Object.values(streams)) stream.leave();
  });

  test('filters; what would never come is refused instead of waited for', async () => {
    const { id } = await givenApprovedAction(services);
    const other = await givenPendingAction(services);
    await number();
    const about = await as('auditor', `?action=${id}&after=0`);
    expect((await about.count(2)).map(({ kind }) => kind)).toEqual(['action.asked', 'action.approved']);
    const kinds = await as('auditor', '?kinds=switch,action.approved&after=0');
    await as('auditor', '?after=0').then(async (all) => {
      await expect.poll(() => all.events.some(({ action }) => action === other.id)).toBe(true);
      all.leave();
    });
    expect(new Set(kinds.events.map(({ kind }) => kind))).toEqual(
      new Set(['switch.disabled', 'switch.enabled', 'switch.enable_asked', 'action.approved']),
    );
    const head = await headOf();
    for (const [query, lastEventId, status] of [
      ['?kinds=acton', undefined, 400],
      ['?kinds=token.created', undefined, 400],
      ['?kinds=', undefined, 400],
      ['?action=x', undefined, 400],
      [`?action=${id.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}`, undefined, 404],
      ['?after=-1', undefined, 400],
      ['?after=', undefined, 400],
      ['', 'x', 400],
      ['', '', 400],
      ['', head + 1, 400],
    ] as const) {
      const answer = await as('auditor', query, { lastEventId });
      expect([query, lastEventId, answer.status]).toEqual([query, lastEventId, status]);
    }
    expect((await as('auditor', '', { method: 'HEAD' })).status).toBe(404);
    for (const stream of [about, kinds]) stream.leave();
  });

  test('nothing is lost and nothing comes twice, wherever connections are cut while things happen', async () => {
    const { url, app } = await another({ page: 7, pollMs: 20 });
    const from = await headOf();
    let happening = true;
    const writing = (async () => {
      for (let n = 0; n < 40; n++) {
        await givenApprovedAction(services);
        await number();
      }
      happening = false;
    })();
    const cutOff = async (everyMs: number) => {
      const seen: number[] = [];
      let place: string | undefined = String(from);
      while (happening || Number(place) < (await headOf())) {
        const stream: Followed = await as('auditor', '?after=0', { lastEventId: place }, url);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        stream.leave();
        await stream.ended;
        seen.push(...stream.events.map(({ seq }) => seq));
        place = stream.place() ?? place;
      }
      return seen;
    };
    const steady = await as('auditor', `?after=${from}`, {}, url);
    const seen = await Promise.all([cutOff(5), cutOff(23), cutOff(61)]);
    await writing;
    const expected = (await wholeLog()).map(({ seq }) => seq).filter((seq) => seq > from);
    expect(expected.length).toBeGreaterThanOrEqual(80);
    await steady.count(expected.length);
    for (const one of [...seen, steady.events.map(({ seq }) => seq)]) expect(one).toEqual(expected);
    await app.close();
  });

  test('a connection that is cut before its first event goes on from where it began', async () => {
    const stream = await as('auditor', '?kinds=switch');
    await expect.poll(() => stream.place()).toBe(String(await headOf()));
    stream.leave();
  });

  test('the place moves on with the heartbeat, also where nothing is wanted', async () => {
    const { url } = await another({ heartbeatMs: 50, pollMs: 20 });
    const stream = await as('auditor', '?kinds=rollout', {}, url);
    await givenPendingAction(services);
    await number();
    const head = String(await headOf());
    await expect.poll(() => stream.place()).toBe(head);
    expect(stream.events).toEqual([]);
    expect(stream.text()).toContain(': still here\n\n');
    stream.leave();
  });

  test('beyond the bound it is refused with Retry-After, until somebody leaves', async () => {
    const { url } = await another({ streams: 2 });
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

  test.runIf(store === 'postgres')(
    'connections to the database that break are no end of a stream',
    async () => {
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
    },
  );

  test('close() ends the streams at once', async () => {
    const { app, url } = await another({});
    const stream = await as('auditor', '', {}, url);
    const startedAt = performance.now();
    await Promise.all([app.close(), stream.ended]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  describe('a slow reader', () => {
    test('does not make memory grow, is let go, and loses nothing when it comes back', async () => {
      const { app, url } = await another({ page: 50, heartbeatMs: 200, stalledMs: 600, pollMs: 20 });
      const waiting: (() => number)[] = [];
      app.server.on('request', (_, response) => waiting.push(() => response.writableLength));
      const from = await headOf();
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
      await expect.poll(() => waiting[0]?.(), { timeout: 10_000 }).toBe(0);
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
  });

  test('a stream is counted when it begins, and is no measure of latency', async () => {
    const { app, url } = await another({});
    (await as('auditor', '', {}, url)).leave();
    const { text } = await call(app, 'GET /metrics');
    expect(text).toContain('requests_total{method="GET",route="/v1/events",status="200"} 1');
    expect(text).not.toContain('seconds_count{method="GET",route="/v1/events"}');
  });
});
