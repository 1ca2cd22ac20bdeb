import { beforeAll, beforeEach, expect, test } from 'vitest';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { actionById } from '../../../src/records/action.ts';
import { verifies } from '../../requirements.ts';
import { call } from '../../support/api.ts';
import { approverActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type BankApi, IBAN, openBank } from './bank.ts';
import { type Browser, formOf, openBrowser, plain } from './browser.ts';

describeWithServices('the queue page', (make) => {
  let bank: BankApi;
  let ana: Browser;
  let ben: Browser;
  const row = (id: string) => actionById(bank.services.db.sql, id);
  const pay = async (amount: number, more: Record<string, unknown> = {}) =>
    (await bank.ask({ args: { amount, to: 'Mia', iban: IBAN, ...more } })).json.id as string;
  /** What the box of an action carries. */
  const boxOf = (text: string, id: string) => new RegExp(`id="${id}" value="([^"]*)"`).exec(text)?.[1] ?? '';

  beforeAll(async () => {
    bank = await openBank(make);
  });

  // Whatever an earlier test left waiting is none of the next one's; nor are its sessions.
  beforeEach(async () => {
    bank.services.clock.advance(25 * 3_600_000);
    await sweepActions(bank.services);
    ana = await openBrowser(bank.app, bank.as.ana);
    ben = await openBrowser(bank.app, bank.as.ben);
  });

  test('it says when nothing waits, and the overview says how many do', async () => {
    expect(plain((await ana.get('/queue')).text)).toContain('My queue (0) Nothing waits for you.');
    expect((await ana.get('/')).text).not.toContain('for you</a>');
    await pay(1);
    expect((await ana.get('/')).text).toContain('<a href="/queue">1 waits for you</a>');
    await pay(2);
    expect((await ana.get('/')).text).toContain('<a href="/queue">2 wait for you</a>');
  });

  test('alike beside alike, the first with its arguments, the others with what differs', async () => {
    const first = await pay(11, { to: '<b>\u202EMia' });
    bank.services.clock.advance(1_000);
    await pay(12, { to: '<b>\u202EMia', iban: 'FR76-OTHER' });
    await bank.ask({ tool: 'wire', args: { amount: 3 } });
    const { text } = await ana.get('/queue');
    const words = plain(text);
    expect(words).toContain('pay of desk, segment default (2)');
    expect(words).toContain('wire of desk, segment default (1)');
    expect(words).toContain('{"amount":11,"iban":"[redacted]","to":"<b>\\u{202e}Mia"}');
    expect(words).toContain('~ amount: 11 → 12 ~ iban: [redacted], and another value than before');
    expect(text).not.toMatch(/DE89|FR76|<b>|\u202E|<script/);
    expect(text).toContain(`<label for="${first}">`);
    expect(text.match(/<h1>/g)).toHaveLength(1);
  });

  test('long arguments are cut, and say so', async () => {
    await pay(13, { to: 'x'.repeat(900) });
    expect(plain((await ana.get('/queue')).text)).toContain('… Cut here: open it to see the rest.');
  });

  verifies(
    'never:decision-shown-but-not-made',
    'several are chosen by boxes; what was not counted says so',
    async () => {
      const ids = [await pay(21), await pay(22), await pay(23), await pay(24)] as const;
      const page = await ana.get('/queue');
      await answerAction(bank.services, approverActor('ben'), { id: ids[1], verdict: 'deny' });
      const boxes = ids.slice(0, 3).map((id) => boxOf(page.text, id));
      const typed = { item: boxes, verdict: 'approve', reason: 'Looked\nat each' };
      const done = await ana.send(page, 'Approve the chosen', typed);
      expect(done.status).toBe(200);
      const words = plain(done.text);
      expect(words).toContain('Approved: 2 of 3');
      expect(words).toContain('Pay 21 to Mia Counted. Approved, not begun yet');
      expect(words).toContain(`${ids[1]} NOT counted : Cannot approve: the action is already denied`);
      const states = await Promise.all(ids.map(async (id) => (await row(id)).state));
      expect(states).toEqual(['approved', 'denied', 'approved', 'pending']);
      const { decisions } = (await bank.get(`/v1/actions/${ids[0]}`)).json;
      expect(decisions).toMatchObject([{ person: 'ana', via: 'web', reason: 'Looked\nat each' }]);
      expect(plain((await ana.send(page, 'Approve the chosen', typed)).text)).toContain(
        'You had already said so.',
      );
    },
  );

  test('one box is one, none and forged ones are refused, and so is a box of what has changed', async () => {
    const [one, other] = [await pay(31), await pay(32)];
    const page = await ana.get('/queue');
    const box = boxOf(page.text, one);
    for (const [item, words] of [
      [[], 'choose at least one'],
      [[`${one} 1`], 'item.0'],
      [[box, "x' OR 1=1"], 'item.1'],
      [Array(51).fill(box), 'choose at most 50'],
    ] as const) {
      const refused = await ana.send(page, 'Deny the chosen', { item, verdict: 'deny' });
      expect(refused.status).toBe(400);
      expect(plain(refused.text)).toContain(words);
      expect(refused.text).toContain('<a href="/queue">Go back</a>');
    }
    await bank.edit(one, bank.as.ben, { amount: 30, to: 'Mia' });
    const old = await ana.send(page, 'Approve the chosen', { item: box, verdict: 'approve' });
    expect(plain(old.text)).toContain('Approved: 0 of 1');
    expect(plain(old.text)).toContain('the arguments shown are not those of the action');
    await ana.send(page, 'Deny the chosen', { item: boxOf(page.text, other), verdict: 'deny', reason: 'no' });
    expect(await row(other)).toMatchObject({ state: 'denied', deny_reason: 'no' });
    expect(await row(one)).toMatchObject({ state: 'pending' });
  });

  verifies(
    'never:decision-without-standing',
    'no form counts without session, its own token and this site',
    async () => {
      const id = await pay(41);
      const queue = await ana.get('/queue');
      const page = await ana.get(`/actions/${id}`);
      const item = boxOf(queue.text, id);
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'http://portcullis.test',
      };
      const paths = [
        '/queue',
        ...['decisions', 'edits', 'corrections', 'review'].map((to) => `/actions/${id}/${to}`),
      ];
      for (const path of [...paths, `/actions/${id}/standing-approvals/${id}/revoke`]) {
        const stranger = await call(bank.app, `POST ${path}`, { headers, body: 'verdict=approve' });
        expect(stranger.status, path).toBe(401);
        expect(plain(stranger.text)).toContain('You are signed out');
        expect(stranger.text).toMatch(/<a href="\/login\?next=\/(queue|actions\/[\w-]+)">Sign in/);
      }
      const forged = [{ form: '' }, { form: 'f'.repeat(64) }, { form: ['a', 'b'] }];
      for (const more of forged) {
        expect(
          (await ana.send(queue, 'Approve the chosen', { item, verdict: 'approve', ...more })).status,
        ).toBe(403);
        expect(
          (await ana.send(page, 'Change them', { args: '{"amount": 1, "to": "Mia"}', ...more })).status,
        ).toBe(403);
      }
      // The token of somebody else's session, in one's own.
      const bens =
        Object.fromEntries(formOf(await ben.get('/queue'), 'Approve the chosen').fields).form ?? '';
      expect(
        (await ana.send(queue, 'Approve the chosen', { item, verdict: 'approve', form: bens })).status,
      ).toBe(403);
      for (const origin of ['https://evil.example', 'null']) {
        const sent = await ana.send(queue, 'Approve the chosen', { item, verdict: 'approve' }, { origin });
        expect(sent.status).toBe(403);
        expect(plain(sent.text)).toContain('Your answer was NOT recorded');
      }
      expect(await row(id)).toMatchObject({ state: 'pending', round: 0 });
      expect((await call(bank.app, 'GET /queue')).headers.location).toBe('/login?next=%2Fqueue');
    },
  );

  test('looking at the queue is when an answer begins to be measured', async () => {
    const id = await pay(51);
    const page = await ana.get('/queue');
    bank.services.clock.advance(2_000);
    await ana.send(page, 'Approve the chosen', { item: boxOf(page.text, id), verdict: 'approve' });
    const answer = await bank.services.db.sql
      .selectFrom('decision')
      .select(['shown_at', 'at'])
      .where('action_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(answer.at.getTime() - (answer.shown_at?.getTime() ?? 0)).toBe(2_000);
  });

  test('a reason that is needed is asked for', async () => {
    const strict = await openBank(make, '{ group: desk, reason: required }');
    const browser = await openBrowser(strict.app, strict.as.ana);
    const { id } = (await strict.ask()).json;
    const page = await browser.get('/queue');
    expect(plain(page.text)).toContain('Reason (approving needs one; denying tells it to the agent)');
    const done = await browser.send(page, 'Approve the chosen', {
      item: boxOf(page.text, id),
      verdict: 'approve',
    });
    expect(plain(done.text)).toContain('NOT counted : Cannot approve: its release wants a reason');
  });
});

describeWithServices('standing approvals on the pages', (make) => {
  const LIKE = { envelope: 'args.amount <= 5', maxUses: '3', for: '4h', reason: 'Small ones' };

  test('the form proposes what is like it; it is given, seen, and taken back by whoever may', async () => {
    const bank = await openBank(make);
    const ana = await openBrowser(bank.app, bank.as.ana);
    const auditor = await openBrowser(bank.app, bank.as.auditor);
    const { id } = (await bank.ask()).json;
    const page = await ana.get(`/actions/${id}`);
    const form = Object.fromEntries(formOf(page, 'Approve it and the like').fields);
    expect(form).toMatchObject({ maxUses: '5', for: '1h', verdict: 'approve' });
    expect(form.envelope).toContain('args.amount <= 5 ');
    expect(form.envelope).not.toContain(IBAN);
    expect(plain(page.text)).toContain('any value passes there: iban.');

    for (const [more, words] of [
      [{ envelope: 'true' }, 'always true'],
      [{ envelope: '' }, 'envelope'],
      [{ envelope: ' ' }, 'the envelope is empty'],
      [{ maxUses: '101' }, 'maxUses'],
      [{ maxUses: '' }, 'maxUses'],
      [{ for: '48h' }, 'a minute to 24 hours'],
      [{ for: 'x' }, 'for'],
    ] as const) {
      const refused = await ana.send(page, 'Approve it and the like', { ...LIKE, ...more });
      expect(refused.status, words).toBe(400);
      expect(plain(refused.text)).toContain(words);
      expect(Object.fromEntries(formOf(refused, 'Approve it and the like').fields)).toMatchObject({
        envelope: 'envelope' in more ? more.envelope : LIKE.envelope,
        reason: 'Small ones',
      });
    }
    expect((await bank.get(`/v1/actions/${id}`)).json.state).toBe('pending');
    const sent = await ana.send(page, 'Approve it and the like', LIKE);
    const given = await ana.follow(sent);
    expect(plain(given.text)).toContain('used 0 of 3, approved by ana');
    const used = (await bank.ask({ args: { amount: 2, to: 'Tom' } })).json;
    expect(used.state).toBe('approved');
    expect(plain((await ana.get(`/actions/${used.id}`)).text)).toContain('This ran by it');
    expect(plain((await ana.get('/queue')).text)).toContain(
      'Approved for a while (1) pay of desk, segment default',
    );
    expect((await auditor.get(`/actions/${id}`)).text).not.toContain('Take it back');

    expect((await ana.send(given, 'Take it back', { reason: '' })).status).toBe(400);
    const back = await ana.send(given, 'Take it back', { reason: 'Enough' });
    expect(back.headers.location).toBe(`/actions/${id}?done=revoke`);
    const after = await ana.follow(back);
    expect(plain(after.text)).toMatch(/Ended .*, because it was taken back by ana, used 1 of 3/);
    expect(after.text).not.toContain('Take it back');
    expect((await ana.get('/queue')).text).not.toContain('Approved for a while');
  });

  test('where the release forbids it, or others answered without it, there is no form', async () => {
    const bank = await openBank(make, '{ group: desk, quorum: 2 }');
    const [ana, ben] = [await openBrowser(bank.app, bank.as.ana), await openBrowser(bank.app, bank.as.ben)];
    const wire = (await bank.ask({ tool: 'wire', args: { amount: 1 } })).json;
    expect((await ana.get(`/actions/${wire.id}`)).text).not.toContain('and the like');
    const { id } = (await bank.ask()).json;
    await bank.decide(id, bank.as.ana);
    expect((await ben.get(`/actions/${id}`)).text).not.toContain('and the like');
  });

  test('whoever comes second reads what they approve along with it, on the page and in the queue', async () => {
    const bank = await openBank(make, '{ group: desk, quorum: 2 }');
    const [ana, ben] = [await openBrowser(bank.app, bank.as.ana), await openBrowser(bank.app, bank.as.ben)];
    const { id } = (await bank.ask()).json;
    await ana.send(await ana.get(`/actions/${id}`), 'Approve it and the like', LIKE);
    const words = plain((await ben.get(`/actions/${id}`)).text);
    expect(words).toContain(
      'Approving also approves the like of it, 3 times at most, for 4 h, as ana wished: args.amount <= 5',
    );
    expect(plain((await ben.get('/queue')).text)).toContain(
      'Approving it also approves the like of it , 3 times at most, for 4 h, as ana wished: args.amount <= 5',
    );
  });
});
