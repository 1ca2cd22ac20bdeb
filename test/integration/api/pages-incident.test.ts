import { beforeAll, expect, test } from 'vitest';
import { reportIncident } from '../../../src/incidents/report-one.ts';
import { givenApi, type TestApi } from '../../support/api.ts';
import { onCallActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type Browser, formOf, openBrowser, plain } from './browser.ts';

describeWithServices('the pages of incidents', (make) => {
  let api: TestApi;
  let olga: Browser;
  const opened = (title: string, segment: string) =>
    reportIncident(api.services, onCallActor(), { agent: 'desk', title, reason: 'seen', segment });

  beforeAll(async () => {
    api = await givenApi(make);
    olga = await openBrowser(api.app, api.as.olga);
  });

  test('list it by state, show it escaped, and let an owner classify it once as they saw it', async () => {
    const { id } = await opened('<b>It went wrong</b>', 'gold');
    const list = await olga.get('/incidents?state=open');
    expect(list.text).toContain(`href="/incidents/${id}"`);
    expect(list.text).toContain('&lt;b&gt;It went wrong');
    expect(list.text).not.toContain('<b>It went wrong');
    expect((await olga.get('/incidents?state=closed')).text).not.toContain(id);
    expect((await olga.get('/incidents/inc-none')).status).toBe(404);
    const page = await olga.get(`/incidents/${id}`);
    expect(plain(page.text)).toContain('A narrower grant stops this');
    const typed = { mechanism: 'over_grant' };
    expect((await olga.send(page, 'Classify', { ...typed, form: 'other' })).status).toBe(403);
    expect((await olga.send(page, 'Classify', typed, { origin: 'http://elsewhere.test' })).status).toBe(403);
    expect((await olga.send(page, 'Classify', { mechanism: 'none' })).status).toBe(400);
    const done = await olga.follow(await olga.send(page, 'Classify', typed));
    expect(plain(done.text)).toContain('over_grant (known)');
    expect((await olga.send(page, 'Classify', typed)).status).toBe(409);
    expect((await olga.send(done, 'Close', { reason: 'over' })).status).toBe(403);
  });

  test('who is no owner is shown nothing to press, and is refused', async () => {
    const { id } = await opened('Another', 'default');
    const page = await olga.get(`/incidents/${id}`);
    const ana = await openBrowser(api.app, api.as.ana);
    const seen = await ana.get(`/incidents/${id}`);
    expect(seen.status).toBe(200);
    expect(seen.text).not.toContain('<form class="panel"');
    const form = formOf(seen, 'Sign out').fields.find(([name]) => name === 'form')?.[1] ?? '';
    expect((await ana.send(page, 'Classify', { mechanism: 'over_grant', form })).status).toBe(403);
  });
});
