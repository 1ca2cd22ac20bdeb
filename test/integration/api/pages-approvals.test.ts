import { beforeAll, expect, test } from 'vitest';
import { recordReach } from '../../../src/reaching/record-reach.ts';
import { actionById, privateOf } from '../../../src/records/action.ts';
import { verifies } from '../../requirements.ts';
import { call } from '../../support/api.ts';
import { describeWithServices } from '../../support/services.ts';
import { type BankApi, IBAN, openBank } from './bank.ts';
import { type Browser, formOf, openBrowser, plain } from './browser.ts';

const GLASS = '{ group: desk, breakGlass: emergency }';

describeWithServices('answering on the page of an action', (make) => {
  let bank: BankApi;
  const browsers = new Map<string, Browser>();
  const as = (name: keyof BankApi['as']) => browsers.get(name) as Browser;
  const row = (id: string) => actionById(bank.services.db.sql, id);
  const argsOf = async (id: string) => JSON.parse((await privateOf(bank.services.db.sql, id))?.args ?? '');
  const ask = async (more: Record<string, unknown> = {}): Promise<string> => (await bank.ask(more)).json.id;
  const open = (id: string, name: keyof BankApi['as'] = 'ana') => as(name).get(`/actions/${id}`);

  beforeAll(async () => {
    bank = await openBank(make, GLASS);
    for (const name of ['ana', 'ben', 'cleo', 'eve', 'olga', 'auditor'] as const)
      browsers.set(name, await openBrowser(bank.app, bank.as[name]));
  });

  test('approve and deny with words, which stand there afterwards, line breaks and all', async () => {
    const id = await ask();
    const approved = await as('ana').send(await open(id), 'Approve', {
      reason: 'Seen the bill\nand the letter',
    });
    expect(approved).toMatchObject({ status: 303, headers: { location: `/actions/${id}?done=approve` } });
    const { text } = await as('ana').follow(approved);
    expect(plain(text)).toContain('ana said approve by web: Seen the bill and the letter');
    expect(text).not.toContain('u{d}');
    const other = await ask();
    await as('ana').send(await open(other), 'Deny', { reason: 'Two lines\nof no' });
    expect((await bank.get(`/v1/actions/${other}`, bank.as.agent)).json.denyReason).toBe('Two lines\nof no');
  });

  test('where a reason is needed, approving without one is refused, and the field says so', async () => {
    const strict = await openBank(make, '{ group: desk, reason: required }');
    const ana = await openBrowser(strict.app, strict.as.ana);
    const { id } = (await strict.ask()).json;
    const page = await ana.get(`/actions/${id}`);
    expect(formOf(page, 'Approve').html).toMatch(/<textarea id="approve-reason"[^>]* required>/);
    const refused = await ana.send(page, 'Approve', { reason: '' });
    expect(refused.status).toBe(422);
    expect(plain(refused.text)).toContain('Your answer was NOT recorded');
    expect(plain(refused.text)).toContain('its release wants a reason');
    await ana.send(page, 'Approve', { reason: 'Seen' });
    expect(await actionById(strict.services.db.sql, id)).toMatchObject({ state: 'approved' });
  });

  test('the edit form sends back what was there: escapes for what cannot be seen, the marker for what is not shown', async () => {
    const to = 'M\u200Bi\u202Ea\u0007 \u{E0041}<&">\r\nx';
    const id = await ask({ args: { amount: 5, to, iban: IBAN } });
    const page = await open(id);
    const { html, fields } = formOf(page, 'Change them');
    const shown = fields.find(([name]) => name === 'args')?.[1] ?? '';
    expect(shown).toContain('M\\u200bi\\u202ea\\u0007 \\udb40\\udc41<&\\">\\r\\nx');
    expect(JSON.parse(shown)).toEqual({ amount: 5, to, iban: '[redacted]' });
    expect(html).not.toContain(IBAN);
    const same = await as('ana').send(page, 'Change them');
    expect(same.status).toBe(400);
    expect(plain(same.text)).toContain('nothing is different');

    const sent = await as('ana').send(page, 'Change them', {
      args: shown.replace('5', '4'),
      reason: 'A digit',
    });
    expect(sent.headers.location).toBe(`/actions/${id}?done=edit`);
    expect(await argsOf(id)).toEqual({ amount: 4, to, iban: IBAN });
    const after = plain((await as('ana').follow(sent)).text);
    expect(after).toContain('Somebody else must approve them.');
    expect(after).toContain(
      'You changed the arguments, so somebody else must answer. You may change them again.',
    );
    expect(after).not.toContain('Why it may be done');
    expect(after).not.toContain('The agent reads this');
  });

  test('a change that is refused comes back with what was typed, and says why', async () => {
    const id = await ask();
    const page = await open(id);
    for (const [args, words] of [
      ['{"amount": "<b>", "to": "Mia"}', 'do not fit the tool'],
      ['{"amount": 1, "amount": 2, "to": "x"}', 'amount'],
      ['{"amount": 1', 'JSON'],
      ['[1]', 'not a JSON object'],
      ['', 'args'],
    ] as const) {
      const refused = await as('ana').send(page, 'Change them', { args, reason: 'My <reason>' });
      expect(refused.status).toBe(400);
      expect(plain(refused.text)).toContain('NOT recorded.');
      expect(plain(refused.text)).toContain(words);
      expect(refused.text).toContain('<details id="mend" open>');
      const again = Object.fromEntries(formOf(refused, 'Change them').fields);
      expect(again).toMatchObject({ args, reason: 'My <reason>' });
    }
    expect(await row(id)).toMatchObject({ round: 0, revision: 1 });
  });

  verifies(
    'never:secret-leaks',
    'a redacted value that was changed is told, and neither value is',
    async () => {
      const id = await ask();
      const args = JSON.stringify({ amount: 3, to: 'Mia', iban: 'FR76-SECOND' });
      await as('ana').send(await open(id), 'Change them', { args, reason: 'New account' });
      const back = JSON.stringify({ amount: 2, to: 'Mia', iban: '[redacted]' });
      await as('ana').send(await open(id), 'Change them', { args: back });
      const { text } = await open(id, 'ben');
      const words = plain(text);
      expect(words).toMatch(
        /What ana changed .*: New account ~ amount: 5 → 3 ~ iban: \[redacted\], and another value/,
      );
      expect(words.match(/What ana changed/g)).toHaveLength(2);
      expect(words).toContain('~ amount: 3 → 2');
      for (const secret of [IBAN, 'FR76']) expect(text).not.toContain(secret);
      expect(words).toContain(
        'of earlier arguments: does not count'.slice(0, 0) || 'ana changed the arguments by web',
      );
    },
  );

  test('the difference from the last one like it is shown before the answer', async () => {
    bank.services.clock.advance(1_000);
    const last = await ask({ args: { amount: 40, to: 'Zoe' } });
    await bank.decide(last, bank.as.ben);
    bank.services.clock.advance(1_000);
    const { text } = await open(await ask({ args: { amount: 41, to: 'Zoe' } }));
    const words = plain(text);
    expect(text).toContain(`<a href="/actions/${last}">Pay 40 to Zoe</a>`);
    expect(words).toContain('~ amount: 40 → 41');
    expect(words.indexOf('Against the last one like it')).toBeLessThan(words.indexOf('Why it may be done'));
    const first = plain((await open(await ask({ tool: 'wire', args: { amount: 1 } }))).text);
    expect(first).toContain('The first of its kind.');
  });

  test('who approved already sees that, and may still deny', async () => {
    const two = await openBank(make, '{ stages: [{ group: desk, quorum: 2 }, { group: legal }] }');
    const ana = await openBrowser(two.app, two.as.ana);
    const cleo = await openBrowser(two.app, two.as.cleo);
    const { id } = (await two.ask()).json;
    const sent = await ana.send(await ana.get(`/actions/${id}`), 'Approve');
    const words = plain((await ana.follow(sent)).text);
    expect(words).toContain('You approved this. It waits for others; you may still deny it.');
    expect(words).not.toContain('Why it may be done');
    expect(words).toContain('2 of desk, then 1 of legal: stage 1 of 2; 1 of 3 approved so far');
    expect(plain((await cleo.get(`/actions/${id}`)).text)).toContain(
      'You may deny this. You cannot approve it: cleo answers in another stage, and this is stage 1.',
    );
    await ana.send(await ana.get(`/actions/${id}`), 'Deny', { reason: 'On second thought' });
    expect(await actionById(two.services.db.sql, id)).toMatchObject({ state: 'denied' });
  });

  test('the glass: its form for its group alone, loud, reviewed by others than who broke it', async () => {
    const id = await ask();
    expect((await open(id)).text).not.toContain('Break the glass');
    const page = await open(id, 'eve');
    expect(plain(page.text)).toContain(
      'You may deny this. You cannot approve it: eve is not in approver group "desk"',
    );
    const silent = await as('eve').send(page, 'Approve alone', { reason: ' ' });
    expect(silent.status).toBe(400);
    const broken = await as('eve').send(page, 'Approve alone', { reason: 'The clinic <waits>' });
    expect((await as('eve').follow(broken)).text).not.toContain('>It was justified<');
    expect(await row(id)).toMatchObject({ state: 'approved', break_glass: true });

    for (const name of ['eve', 'ana', 'ben'] as const)
      expect((await open(id, name)).text).not.toContain('>It was justified<');
    const review = await open(id, 'olga');
    expect(plain(review.text)).toContain('approved by one person alone');
    expect(plain(review.text)).toContain('eve approved this alone: The clinic <waits>');
    expect(formOf(await open(id, 'auditor'), 'It was justified').action).toBe(`/actions/${id}/review`);
    const queue = plain((await as('auditor').get('/queue')).text);
    expect(queue).toMatch(/Approved alone, to be reviewed \(\d+\).*Pay 5 to Mia eve by web/);
    expect((await as('eve').get('/queue')).text).not.toContain('to be reviewed');

    const forged = await as('eve').send(review, 'It was justified', {
      justified: 'true',
      note: 'All well',
      form: '',
    });
    expect(forged.status).toBe(403);
    const sent = await as('olga').send(review, 'It was justified', {
      note: 'No need at all',
      justified: 'false',
    });
    const reviewed = await as('olga').follow(sent);
    expect(plain(reviewed.text)).toContain('olga found that NOT justified: No need at all');
    expect(reviewed.text).not.toContain('>It was justified<');
    expect(await row(id)).toMatchObject({ reviewed_by: 'olga', review: { justified: false } });
  });

  test('a write that was wrongly stopped is reported as that', async () => {
    const id = await ask();
    await bank.decide(id, bank.as.ben, { verdict: 'deny', reason: 'no' });
    const sent = await as('ana').send(await open(id), 'Report it as right', {
      reason: 'It was her own money',
    });
    expect(plain((await as('ana').follow(sent)).text)).toContain(
      'Reported as right, and wrongly stopped, by ana: It was her own money',
    );
    expect((await open(id)).text).not.toContain('Why was it right?');
    expect((await open(await ask(), 'auditor')).text).not.toContain('Why was it right?');
  });

  test('who is asked and told how, its place in the queue, and that nobody could be reached', async () => {
    const { services } = bank;
    const first = await ask();
    services.clock.advance(1_000);
    const id = await ask();
    const words = async (which: string) => plain((await open(which)).text);
    expect(await words(id)).toMatch(/Queue \d+ ahead of it/);
    expect(await words(id)).toContain('ana of desk, not told yet');
    const at = services.clock.now();
    const told = { ana: ['channel', 'dm'] } as const;
    await recordReach(services, await actionById(services.db.sql, id), { state: 'delivered', told });
    expect(await words(id)).toContain('ana of desk, told in the channel and by direct message, 2026-');
    const routed = [{ group: 'leads', stage: 0, because: 'unanswered', at: at.toISOString() }];
    const reach = { state: 'unreached', people: [], at: at.toISOString(), problem: 'ben is <away>' };
    await services.db.sql
      .updateTable('action')
      .set({ routed: JSON.stringify(routed), reach: JSON.stringify(reach) })
      .where('id', '=', id)
      .execute();
    expect(await words(id)).toContain('dan of leads, because nobody answered, not told yet');
    expect(await words(id)).toContain('Reached NOBODY who may answer could be reached: ben is <away>');
    await bank.decide(id, bank.as.ben, { verdict: 'deny' });
    expect(await words(id)).toContain('Who was asked ana of desk, told in the channel');
    expect(await words(id)).not.toContain('not told yet');
    expect(await words(first)).toContain('Who is asked');
  });

  test('receipts come as a file to whoever may see the arguments, and to nobody without a session', async () => {
    const id = await ask();
    await bank.decide(id, bank.as.ben);
    expect((await open(id, 'auditor')).text).toContain(`<a href="/actions/${id}/receipt">`);
    const file = await as('auditor').get(`/actions/${id}/receipt`);
    expect(file.headers['content-disposition']).toBe(`attachment; filename="receipt-${id}.json"`);
    expect(file.headers['cache-control']).toBe('no-store');
    expect(file.json).toEqual((await bank.get(`/v1/actions/${id}/receipt`)).json);
    expect(file.json.receipts).toHaveLength(1);
    expect((await call(bank.app, `GET /actions/${id}/receipt`)).status).toBe(303);
    expect((await open(await ask())).text).not.toContain('/receipt"');
  });
});
