import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { listGroups } from '../../../src/groups/list.ts';
import { refreshGroups } from '../../../src/groups/refresh.ts';
import type { Shift } from '../../../src/groups/source.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { agentActor, approverActor, givenAgent, givenPendingAction } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import {
  after,
  agentWith,
  type Desk,
  fakeSources,
  groupDesk,
  groupOf,
  HOUR_MS,
  KEY,
  logged,
  MINUTE_MS,
  peopleIn,
  SLACK,
  slackUsers,
} from './support.ts';

const approve = (services: TestServices, id: string, person: string) =>
  answerAction(services, approverActor(person), { id, verdict: 'approve' });
const begin = ({ services }: Pick<Desk, 'services'>, id: string) =>
  beginAction(services, agentActor(), { id, executionId: 'e-1' });

describeWithServices('live approver groups', (make) => {
  const open = groupDesk(make);

  test('a group is read at once, then every five minutes; who comes and goes is logged', async () => {
    const users = slackUsers('U0ANA', 'U0BEN', 'U0NOBODY', 'U0OLGA');
    const { services, fake, refresh } = await open(SLACK, { [KEY]: users });
    expect(await groupOf(services)).toEqual({
      group: 'desk',
      source: 'slack',
      id: 'S0DESK',
      members: [],
      stale: true,
      unknown: [],
    });
    await refresh();
    expect(await groupOf(services)).toEqual({
      group: 'desk',
      source: 'slack',
      id: 'S0DESK',
      members: [{ person: 'ana' }, { person: 'ben' }],
      stale: false,
      fetchedAt: services.clock.now(),
      freshUntil: after(services, HOUR_MS),
      unknown: ['Slack user U0NOBODY', 'olga (owns or deploys the agent)'],
    });
    fake.answers[KEY] = slackUsers('U0BEN');
    services.clock.advance(5 * MINUTE_MS - 1);
    await refresh();
    expect(fake.asked).toHaveLength(1);
    services.clock.advance(1);
    await refresh();
    services.clock.advance(5 * MINUTE_MS);
    await refresh();
    expect(fake.asked).toHaveLength(3);
    expect(await peopleIn(services)).toEqual(['ben']);
    expect(await logged(services)).toEqual([
      { group: 'desk', source: 'slack', added: ['ana', 'ben'], removed: [] },
      { group: 'desk', source: 'slack', added: [], removed: ['ana'] },
    ]);
  });

  test('who left the group neither approves any more nor carries what they approved', async () => {
    const desk = await open(SLACK, { [KEY]: slackUsers('U0ANA', 'U0BEN') });
    const { services, fake, refresh } = desk;
    await refresh();
    const [before, later] = [await givenPendingAction(services), await givenPendingAction(services)];
    await approve(services, before.id, 'ana');
    fake.answers[KEY] = slackUsers('U0BEN');
    services.clock.advance(5 * MINUTE_MS);
    await refresh();
    await expect(begin(desk, before.id)).rejects.toMatchObject({ code: 'stopped' });
    await expect(approve(services, later.id, 'ana')).rejects.toMatchObject({ code: 'not_eligible' });
    await approve(services, later.id, 'ben');
    expect((await begin(desk, later.id)).action.state).toBe('executing');
  });

  test('a source that fails keeps its people and shows why, until it is stale; then nobody counts', async () => {
    const desk = await open('{ slackGroup: S0DESK, staleAfter: 30m }', {
      [KEY]: slackUsers('U0ANA'),
    });
    const { services, fake, refresh } = desk;
    await refresh();
    const [first, second] = [await givenPendingAction(services), await givenPendingAction(services)];
    const freshUntil = after(services, 30 * MINUTE_MS);
    fake.answers[KEY] = new SourceFailure('Slack answered missing_scope');
    for (let tries = 0; tries < 5; tries++) {
      services.clock.advance(5 * MINUTE_MS);
      await refresh();
    }
    expect(await groupOf(services)).toMatchObject({
      members: [{ person: 'ana' }],
      stale: false,
      freshUntil,
      error: 'Slack answered missing_scope',
    });
    await approve(services, first.id, 'ana');
    services.clock.moveTo(freshUntil);
    await refresh();
    expect(await groupOf(services)).toMatchObject({ stale: true, freshUntil });
    await expect(begin(desk, first.id)).rejects.toMatchObject({ code: 'group_stale' });
    await expect(approve(services, second.id, 'ana')).rejects.toMatchObject({
      details: { because: 'group_stale' },
    });
    fake.answers[KEY] = slackUsers('U0ANA');
    services.clock.advance(MINUTE_MS);
    await refresh();
    const group = await groupOf(services);
    expect(group).toMatchObject({ stale: false });
    expect(group.error).toBeUndefined();
    await approve(services, second.id, 'ana');
    expect(await logged(services)).toHaveLength(1);
  });

  test('a failure is repeated after 30 s, or when the source allows it', async () => {
    const { services, fake, refresh } = await open(SLACK);
    await refresh();
    services.clock.advance(29_999);
    await refresh();
    expect(fake.asked).toHaveLength(1);
    fake.answers[KEY] = new SourceFailure('too many requests', 90_000);
    services.clock.advance(1);
    await refresh();
    services.clock.advance(89_999);
    await refresh();
    expect(fake.asked).toHaveLength(2);
    services.clock.advance(1);
    await refresh();
    expect(fake.asked).toHaveLength(3);
    expect(await groupOf(services)).toMatchObject({ stale: true, error: 'too many requests' });
  });

  test('a group that becomes stale soon is read three times before it is', async () => {
    const { services, fake, refresh } = await open('{ slackGroup: S0DESK, staleAfter: 3m }', {
      [KEY]: slackUsers('U0ANA'),
    });
    for (let minute = 0; minute < 4; minute++) {
      await refresh();
      services.clock.advance(MINUTE_MS);
    }
    expect(fake.asked).toHaveLength(4);
    expect((await groupOf(services)).stale).toBe(false);
  });

  const shift = (email: string, from: Date, until: Date): Shift => ({ who: { email }, from, until });

  test('a shift counts from its first moment to its last; what was approved in it counts after it', async () => {
    const desk = await open('{ schedule: { pagerduty: PDESK } }');
    const { services, fake, refresh } = desk;
    const change = after(services, HOUR_MS);
    fake.answers['pagerduty PDESK'] = [
      shift('ana@example.org', after(services, -HOUR_MS), change),
      shift('BEN@example.org', change, after(services, 24 * HOUR_MS)),
    ];
    await refresh();
    expect((await groupOf(services)).members).toEqual([{ person: 'ana', until: change }]);
    const [first, second] = [await givenPendingAction(services), await givenPendingAction(services)];
    await expect(approve(services, first.id, 'ben')).rejects.toMatchObject({ code: 'not_eligible' });
    services.clock.advance(50 * MINUTE_MS);
    await refresh();
    await approve(services, first.id, 'ana');
    services.clock.advance(9 * MINUTE_MS + 59_999);
    expect(await peopleIn(services)).toEqual(['ana']);
    services.clock.advance(1);
    expect(await peopleIn(services)).toEqual(['ben']);
    await refresh();
    expect((await begin(desk, first.id)).action.state).toBe('executing');
    await expect(approve(services, second.id, 'ana')).rejects.toMatchObject({ code: 'not_eligible' });
    // Nobody was taken off or put on the schedule: a change of shift is no change of the group.
    expect(await logged(services)).toHaveLength(1);
  });

  test('a swapped shift takes from the one and gives to the other at once, also for what was approved in it', async () => {
    const desk = await open('{ schedule: { ical: rota.ics } }');
    const { services, fake, refresh } = desk;
    const [from, until] = [after(services, -HOUR_MS), after(services, 24 * HOUR_MS)];
    fake.answers['ical rota.ics'] = [{ who: { name: 'ana' }, from, until }];
    await refresh();
    const [first, second] = [await givenPendingAction(services), await givenPendingAction(services)];
    await approve(services, first.id, 'ana');
    fake.answers['ical rota.ics'] = [{ who: { name: 'Ben' }, from, until }];
    services.clock.advance(5 * MINUTE_MS);
    await refresh();
    await expect(begin(desk, first.id)).rejects.toMatchObject({ code: 'stopped' });
    await expect(approve(services, second.id, 'ana')).rejects.toMatchObject({ code: 'not_eligible' });
    await approve(services, second.id, 'ben');
    expect((await logged(services)).at(-1)).toEqual({
      group: 'desk',
      source: 'ical',
      added: ['ben'],
      removed: ['ana'],
    });
  });

  test('a shift that only comes into sight changes nothing; one that is taken out of sight does', async () => {
    const { services, fake, refresh } = await open('{ schedule: { pagerduty: PDESK } }');
    const day = (n: number) => after(services, n * 24 * HOUR_MS);
    const always = shift('ana@example.org', day(-1), day(60));
    const far = shift('ben@example.org', day(20), day(21));
    fake.answers['pagerduty PDESK'] = [always];
    await refresh();
    fake.answers['pagerduty PDESK'] = [always, far];
    services.clock.advance(8 * 24 * HOUR_MS);
    await refresh();
    expect(await logged(services)).toHaveLength(1);
    fake.answers['pagerduty PDESK'] = [always];
    services.clock.advance(HOUR_MS);
    await refresh();
    expect((await logged(services)).at(-1)).toMatchObject({ added: [], removed: ['ben'] });
  });

  test('readings at the same time leave each person once', async () => {
    const { services, fake } = await open(SLACK, { [KEY]: slackUsers('U0ANA', 'U0BEN') });
    await Promise.all([1, 2, 3, 4].map(() => refreshGroups(services, fakeSources(fake.answers).sources)));
    const rows = await services.db.sql
      .selectFrom('agent_approver')
      .select('person')
      .orderBy('person')
      .execute();
    expect(rows.map(({ person }) => person)).toEqual(['ana', 'ben']);
    expect(await logged(services)).toHaveLength(1);
  });

  test('whatever a source calls somebody can be kept and shown', async () => {
    const name = `\u0000\ud800'); DROP TABLE agent; -- ${'x'.repeat(10_000)}`;
    const { services, refresh } = await open(SLACK, { [KEY]: [{ who: { name } }] });
    await refresh();
    expect((await groupOf(services)).unknown).toEqual([
      expect.stringMatching(/DROP TABLE agent.*characters\)$/),
    ]);
  });

  test('a round that is to end asks no further source', async () => {
    const { services, fake } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    await refreshGroups(services, fake.sources, AbortSignal.abort());
    expect(fake.asked).toEqual([]);
  });

  test('two agents with one source ask it once; one that fails does not stop another', async () => {
    const { services, fake, refresh } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    await givenAgent(services, agentWith(SLACK).replace('agent: desk', 'agent: till'));
    await givenAgent(services, agentWith('{ slackGroup: S0GONE }').replace('agent: desk', 'agent: aisle'));
    await refresh();
    expect(fake.asked).toEqual(['slack S0GONE', KEY]);
    const [till] = await listGroups(services, approverActor(), 'till');
    expect(till?.members).toEqual([{ person: 'ana' }]);
    expect(await peopleIn(services)).toEqual(['ana']);
  });
});
