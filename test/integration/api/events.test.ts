import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenApprovedAction,
  givenPendingAction,
  givenToken,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type Followed, follow } from './event-client.ts';
import { type EventDesk, openEventDesk } from './event-desk.ts';

describeWithServices('GET /v1/events', (make) => {
  let desk: EventDesk;
  let { services, as, another, number, head } = {} as EventDesk;
  /** What a log reader sees of everything, for comparison. */
  const wholeLog = async () => {
    const rows = await services.db.sql
      .selectFrom('log_entry')
      .select(['seq', 'kind'])
      .orderBy('seq')
      .execute();
    return rows.filter(({ kind }) => /^(action|switch|rollout|incident)\./.test(kind));
  };

  beforeAll(async () => {
    desk = await openEventDesk(make);
    ({ services, as, another, number, head } = desk);
  });
  afterAll(() => desk.close());

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
    const before = await head();
    const { id } = await givenPendingAction(services);
    await answerAction(services, approverActor(), { id, verdict: 'approve' });
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
      bar: await follow(desk.base, '', { headers: bar.headers }),
    };
    const { id } = await givenPendingAction(services);
    await answerAction(services, approverActor(), { id, verdict: 'deny', reason: 'She is my aunt' });
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
      (await follow(desk.base, query, { headers })).status;
    expect(await refused('', {})).toBe(401);
    expect(await refused('', desk.api.as.admin.headers)).toBe(403);
    expect(await refused('?agent=bar', desk.api.as.agent.headers)).toBe(403);
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
    const last = await head();
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
      ['', last + 1, 400],
    ] as const) {
      const answer = await as('auditor', query, { lastEventId });
      expect([query, lastEventId, answer.status]).toEqual([query, lastEventId, status]);
    }
    expect((await as('auditor', '', { method: 'HEAD' })).status).toBe(404);
    const verb = await as('auditor', '?kinds=rollout.approve-gate,receipt');
    expect(verb.status).toBe(200);
    for (const stream of [about, kinds, verb]) stream.leave();
  });

  test('nothing is lost and nothing comes twice, wherever connections are cut while things happen', async () => {
    const { url, app } = await another({ page: 7, pollMs: 20 });
    const from = await head();
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
      while (happening || Number(place) < (await head())) {
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
    await expect.poll(() => stream.place()).toBe(String(await head()));
    stream.leave();
  });
});
