import { expect, test } from 'vitest';
import { admitCase } from '../../../src/cases/admit.ts';
import { proposeCase } from '../../../src/cases/propose.ts';
import { readCaseValue } from '../../../src/domain/manifest/manifest.ts';
import { call, givenApi } from '../../support/api.ts';
import { AGENT_YAML, actorOf, agentFrom, givenRelease, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { openBrowser, plain } from './browser.ts';

describeWithServices('the pages of cases', (make) => {
  test('say what each is held to, what it says of what is in force and who let it be, escaped', async () => {
    const { app, services, as } = await givenApi(make);
    const browser = await openBrowser(app, as.auditor);
    expect(plain((await browser.get('/cases')).text)).toContain('None yet. One is made of an incident');
    expect((await browser.get('/cases/nobody')).status).toBe(404);
    await givenRelease(services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
    const mia = actorOf('release-manager', { person: 'mia' });
    const given = { tool: 'cancel', args: { id: 'made-up' }, attributes: { tier: 'gold' } };
    const propose = async (name: string, more: Record<string, unknown>) => {
      const says = '<b>Nobody</b> was asked';
      const read = readCaseValue({ case: name, agent: 'desk', kind: 'ask', says, given, ...more });
      if (!read.ok) throw new Error(JSON.stringify(read.problems));
      await proposeCase(services, mia, read.value);
    };
    await propose('possible', { expect: { atMost: 'ask:1' } });
    await propose('unasked', { expect: { atLeast: 'ask:1' }, twins: ['possible'] });
    await propose('only-proposed', { expect: { atMost: 'ask:1' } });
    const tom = actorOf('release-manager', { person: 'tom' });
    await admitCase(services, tom, { agent: 'desk', name: 'unasked', redOn: '2', greenOn: '1' });
    const until = new Date(services.clock.now().getTime() + services.dayMs).toISOString();
    const waivers = [{ case: 'unasked', reason: 'a week of <i>sales</i>', until }];
    const body = { agent: 'desk', release: '2', reason: 'ready', waivers };
    expect((await call(app, 'POST /v1/rollouts', { as: as.olga, body })).status).toBe(201);
    expect(plain((await browser.get('/cases')).text)).toContain('desk 2 admitted, 1 proposed');
    const { text, status } = await browser.get('/cases/desk');
    expect(status).toBe(200);
    const page = plain(text);
    expect(page).toContain('Release 1: 2 green, 0 red');
    expect(page).toMatch(/unasked: <b>Nobody<\/b> was asked Release 1: green/);
    expect(page).toContain('red on release 2, green on release 1, admitted by tom');
    expect(page).toContain('olga: a week of <i>sales</i>');
    expect(text).not.toContain('<b>Nobody');
    expect(text).not.toContain('<i>sales');
  });
});
