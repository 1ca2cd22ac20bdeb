import { expect, test } from 'vitest';
import { listCycleReviews } from '../../../src/reviews/cycle-list.ts';
import { followCycles } from '../../../src/reviews/follow-cycles.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { call, givenApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenRelease,
  givenToken,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { NONE_YET } from '../../support/start.ts';
import { openBrowser, plain } from './browser.ts';

describeWithServices('the page of the review of a cycle', (make) => {
  test('shows what changed and was seen, takes what an owner writes once, and a second person against the criteria', async () => {
    const { app, services, as } = await givenApi(make);
    await givenRelease(services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
    const body = { agent: 'desk', release: '2', reason: 'ready', noneYet: NONE_YET };
    const { json } = await call(app, 'POST /v1/rollouts', { as: as.olga, body });
    const reason = 'the <b>desk</b> is moving';
    await runRolloutVerb(services, managerActor(), { id: json.id, verb: 'rollback', reason });
    await followCycles(services);
    const [owed] = await listCycleReviews(services.db.sql, { owed: true });
    const path = `/cycle-reviews/${owed?.id}`;
    const olga = await openBrowser(app, as.olga);
    expect((await olga.get('/cycle-reviews')).text).toContain(`href="${path}"`);
    expect((await olga.get('/cycle-reviews/rev-none')).status).toBe(404);
    expect((await olga.get(`/rollouts/${json.id}`)).text).toContain(`href="${path}"`);
    const page = await olga.get(path);
    expect(plain(page.text)).toContain('desk, release 2: rolled back');
    expect(plain(page.text)).toContain('the <b>desk</b> is moving');
    expect(page.text).not.toContain('<b>desk');
    expect(plain(page.text)).toMatch(/cancel/);
    expect(plain(page.text)).toContain('Nothing was judged.');
    const day = new Date(services.clock.now().getTime() + 7 * services.dayMs).toISOString().slice(0, 10);
    const typed = {
      mechanism: 'over_grant',
      text: 'It ran <i>unasked</i>',
      refutedBy: 'The same share where people were asked',
      sentence: 'Ask a person',
      owner: 'olga',
      by: day,
      metric: 'wrong',
      segment: 'gold',
      from: '0.2',
      to: '0.05',
      measuredBy: day,
    };
    // Guards: reviewProblems() refuses 201 words and strangers, and nothing is written then.
    for (const bad of [{ text: 'word '.repeat(201) }, { owner: 'nobody' }, { by: 'soon' }, { from: 'much' }])
      expect((await olga.send(page, 'Write it', { ...typed, ...bad })).status).toBe(400);
    const against = owed?.recommendation === 'go_on' ? 'roll_back' : 'go_on';
    const done = await olga.follow(await olga.send(page, 'Write it', { ...typed, decision: against }));
    expect(plain(done.text)).toContain('It ran <i>unasked</i>');
    expect(done.text).not.toContain('<i>unasked');
    expect(plain(done.text)).toContain('Waits for a second person');
    expect(done.text).not.toContain('Stand for it</button>');
    expect((await olga.send(page, 'Write it', typed)).status).toBe(409);
    const asCleo = await givenToken(services, ['on-call', 'approver'], { person: 'cleo' });
    const cleo = await openBrowser(app, asCleo);
    const second = await cleo.send(await cleo.get(path), 'Stand for it', { reason: 'I have seen it too' });
    expect(plain((await cleo.follow(second)).text)).toContain('Seconded by cleo');
    const ana = await openBrowser(app, as.ana);
    expect((await ana.get(path)).text).not.toContain('<form class="panel"');
  });
});
