import { beforeAll, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { isClassifiedTwice } from '../../../src/domain/incident/fingerprint.ts';
import { reportIncident } from '../../../src/incidents/report-one.ts';
import { readLogOf } from '../../../src/log/read.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { incidentsOf } from '../../../src/reviews/week-people.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  agentFrom,
  type GivenToken,
  givenToken,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type Browser, formOf, openBrowser, plain } from './browser.ts';

describeWithServices('the pages of incidents', (make) => {
  let api: TestApi;
  let olga: Browser;
  const opened = (title: string, segment: string) =>
    reportIncident(api.services, onCallActor(), { agent: 'desk', title, reason: 'seen', segment });

  const logOf = async (id: string): Promise<string> => {
    const { sql } = api.services.db;
    while ((await sequenceLog(sql)) > 0);
    const entries = await readLogOf(sql, [id], { after: 0, limit: 100 });
    return entries.map(({ body }) => body).join('\n');
  };

  /** Its mechanism on the page of its week. */
  const toldByWeek = async (id: string) => {
    const week = { id: '', from: new Date(0), to: new Date(api.services.clock.now().getTime() + 1) };
    const lines = await incidentsOf(api.services.db.sql, 'desk', week);
    return lines.find((one) => one.id === id)?.mechanism;
  };

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
    const typed = {
      mechanism: 'over_grant',
      origin: 'operator',
      contributing: ['wrong_call', 'misled_approval'],
    };
    expect((await olga.send(page, 'Classify', { ...typed, form: 'other' })).status).toBe(403);
    expect((await olga.send(page, 'Classify', typed, { origin: 'http://elsewhere.test' })).status).toBe(403);
    expect((await olga.send(page, 'Classify', { mechanism: 'none' })).status).toBe(400);
    const done = await olga.follow(await olga.send(page, 'Classify', typed));
    for (const shown of ['over_grant (known)', 'wrong_call, misled_approval', 'operator'])
      expect(plain(done.text)).toContain(shown);
    expect((await olga.send(page, 'Classify', typed)).status).toBe(409);
    expect((await olga.send(done, 'Close', { reason: 'over' })).status).toBe(403);
  });

  test('count over all of them how often it happened again, and take a merge back', async () => {
    const db = api.services.db.sql;
    const [first, again] = [await opened('First', 'gold'), await opened('Again', 'gold')];
    await db.updateTable('incident').set({ state: 'closed' }).where('id', '=', first.id).execute();
    await db.updateTable('incident').set({ recurrence_of: first.id }).where('id', '=', again.id).execute();
    // Guard: recurrenceOf() counts all; none of the page that is shown is closed.
    expect(plain((await olga.get('/incidents?state=open')).text)).toContain(
      '1 happened again after one like it was closed; 1 are closed.',
    );
    const { id } = await opened('Like that one', 'gold');
    const page = await olga.get(`/incidents/${id}`);
    const merged = await olga.follow(
      await olga.send(page, 'Merge', { into: again.id, reason: 'the same thing' }),
    );
    expect(plain(merged.text)).toContain(`merged into ${again.id}`);
    const parted = await olga.follow(await olga.send(merged, 'Unmerge', { reason: 'it is not' }));
    expect(plain(parted.text)).not.toContain('merged into');
  });

  test('where two people classify, the second owner sees nothing of the first label until theirs is given', async () => {
    const owners = ['olga', 'cleo'];
    await applyAgent(api.services, managerActor(), { ...agentFrom(AGENT_YAML), owners });
    let { id } = await opened('Twice', 'gold');
    while (!isClassifiedTwice(id)) ({ id } = await opened('Twice', 'gold'));
    const classify = async (who: Browser, mechanism: string) => {
      const done = await who.send(await who.get(`/incidents/${id}`), 'Classify', { mechanism });
      expect(done.status).toBe(303);
    };
    const seen = async (who: Browser, as: GivenToken) => {
      const { json } = await call(api.app, `GET /v1/incidents/${id}`, { as });
      const list = await call(api.app, 'GET /v1/incidents', { as });
      const listed = list.json.incidents.find((one: { id: string }) => one.id === id);
      const page = plain((await who.get(`/incidents/${id}`)).text);
      return [json.mechanism, listed.mechanism, /rule_defect \((known|suspected)\)/.test(page)];
    };
    await classify(olga, 'rule_defect');
    const auditor = await openBrowser(api.app, api.as.auditor);
    expect(await seen(auditor, api.as.auditor)).toEqual(['rule_defect', 'rule_defect', true]);
    const asCleo = await givenToken(api.services, 'release-manager', { person: 'cleo' });
    const cleo = await openBrowser(api.app, asCleo);
    // Guard: asSeenBy(); without it the second label is read off the first.
    expect(await seen(cleo, asCleo)).toEqual([undefined, undefined, false]);
    // Guard: mayBeAsked(); the role of the token she looks with says nothing of whether she is asked.
    expect(await seen(cleo, api.as.cleo)).toEqual([undefined, undefined, false]);
    // Guard: asSeenBy() in readSystem() and in the answers of the verbs.
    const system = await call(api.app, `GET /v1/system?incident=${id}`, { as: asCleo });
    expect([system.status, system.json.incident.mechanism]).toEqual([200, null]);
    // Guard: awaitingSecond() in incidentsOf(): in a quiet week the page would tell.
    expect(await toldByWeek(id)).toBeNull();
    const { id: into } = await opened('Taken for it', 'gold');
    const answer = (verb: string, body: object) =>
      call(api.app, `POST /v1/incidents/${id}/${verb}`, { as: asCleo, body: { reason: 'r', ...body } });
    const answers = [await answer('merge', { into })];
    // Guard: awaitsSecond() of what is merged.
    expect(await seen(cleo, asCleo)).toEqual([undefined, undefined, false]);
    answers.push(await answer('unmerge', {}));
    expect(answers.map(({ status, json }) => [status, json.mechanism])).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    // Guard: toldOf(); the log has the first label with the second.
    expect(await logOf(id)).not.toContain('rule_defect');
    await classify(cleo, 'wrong_call');
    expect(await logOf(id)).toContain('"before":"rule_defect"');
    expect(await seen(cleo, asCleo)).toEqual(['rule_defect', 'rule_defect', true]);
    expect(await toldByWeek(id)).toBe('rule_defect');
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
