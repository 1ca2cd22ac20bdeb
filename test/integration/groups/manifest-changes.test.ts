import { expect, test } from 'vitest';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { givenAgent } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import {
  after,
  agentWith,
  groupDesk,
  groupOf,
  KEY,
  logged,
  MINUTE_MS,
  peopleIn,
  SLACK,
  slackUsers,
} from './support.ts';

describeWithServices('a live group whose manifest changes', (make) => {
  const open = groupDesk(make);

  test('another source takes the people of the first away, whether it answers or not', async () => {
    const { services, fake, refresh } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    await refresh();
    await givenAgent(services, agentWith('{ slackGroup: S0OTHER }'));
    await refresh();
    expect(await groupOf(services)).toMatchObject({ members: [], stale: true, error: 'it is not there' });
    expect(await logged(services)).toEqual([
      { group: 'desk', source: 'slack', added: ['ana'], removed: [] },
      { group: 'desk', source: 'slack', added: [], removed: ['ana'] },
    ]);
    fake.answers['slack S0OTHER'] = slackUsers('U0BEN');
    services.clock.advance(MINUTE_MS);
    await refresh();
    expect(await groupOf(services)).toMatchObject({ members: [{ person: 'ben' }], stale: false });
  });

  test('who is who is looked up anew at once', async () => {
    const { services, fake, refresh } = await open(SLACK, {
      [KEY]: slackUsers('U0ANA', 'U0NEW'),
    });
    await refresh();
    await givenAgent(services, agentWith(SLACK).replace('U0BEN/T0AIR', 'U0NEW/T0AIR'));
    await refresh();
    expect(fake.asked).toHaveLength(2);
    expect(await groupOf(services)).toMatchObject({
      members: [{ person: 'ana' }, { person: 'ben' }],
      unknown: [],
    });
  });

  test('an answer for a source that it no longer names is not used', async () => {
    const { services, fake, refresh } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    fake.during = async () => void (await givenAgent(services, agentWith('{ slackGroup: S0OTHER }')));
    await refresh();
    expect(await groupOf(services)).toMatchObject({ id: 'S0OTHER', members: [], stale: true });
  });

  test('an answer counts by the people as they are when it comes', async () => {
    const { services, fake, refresh } = await open(SLACK, {
      [KEY]: slackUsers('U0ANA', 'U0BEN'),
    });
    const yaml = agentWith(SLACK).replace('owners: [olga]', 'owners: [olga, ana]');
    fake.during = async () => void (await givenAgent(services, yaml));
    await refresh();
    expect(await peopleIn(services)).toEqual(['ben']);
  });

  test('a shorter staleAfter counts from the last reading, also while the source fails', async () => {
    const { services, fake, refresh } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    await refresh();
    const freshUntil = after(services, 10 * MINUTE_MS);
    services.clock.advance(MINUTE_MS);
    fake.answers[KEY] = new SourceFailure('down');
    await givenAgent(services, agentWith('{ slackGroup: S0DESK, staleAfter: 10m }'));
    await refresh();
    expect(await groupOf(services)).toMatchObject({ freshUntil });
    await givenAgent(services, agentWith('{ slackGroup: S0DESK, staleAfter: 5h }'));
    await refresh();
    expect(await groupOf(services)).toMatchObject({ freshUntil });
  });

  test('a group that lists its people again has those, and no source', async () => {
    const { services, refresh } = await open(SLACK, { [KEY]: slackUsers('U0ANA') });
    await refresh();
    await givenAgent(services, agentWith('[ben]'));
    await refresh();
    expect(await groupOf(services)).toEqual({
      group: 'desk',
      source: 'manifest',
      members: [{ person: 'ben' }],
      stale: false,
      unknown: [],
    });
  });
});
