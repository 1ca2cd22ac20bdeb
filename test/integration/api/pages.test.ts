import { beforeAll, expect, test } from 'vitest';
import { completeAction } from '../../../src/actions/complete.ts';
import { createApi } from '../../../src/api/server.ts';
import { actionById } from '../../../src/records/action.ts';
import { disable } from '../../../src/switches/disable.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { type Answer, call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  actorOf,
  agentActor,
  givenAdopted,
  givenBegunAction,
  givenPendingAction,
  givenToken,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

const ORIGIN = { origin: 'http://portcullis.test' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describeWithServices('pages', (make) => {
  let api: TestApi;
  let ana: { cookie: string };

  const signIn = async (token: string, next = '/') => {
    const body = new URLSearchParams({ token, next }).toString();
    return call(api.app, 'POST /login', { headers: { ...FORM, ...ORIGIN }, body });
  };
  const cookieOf = (answer: Answer) => ({ cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' });
  const get = (path: string, headers: Record<string, string> = ana) =>
    call(api.app, `GET ${path}`, { headers });
  const field = (text: string, name: string) =>
    new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';
  /** Fills in the form of the page as a browser would. */
  const send = async (
    id: string,
    form: 'decisions' | 'corrections',
    values: Record<string, string>,
    headers = {},
  ) => {
    const { text } = await get(`/actions/${id}`);
    const seen = ['form', 'digest', 'revision'].map((name) => [name, field(text, name)] as const);
    const body = new URLSearchParams({ ...Object.fromEntries(seen), ...values }).toString();
    return call(api.app, `POST /actions/${id}/${form}`, {
      headers: { ...FORM, ...ORIGIN, ...ana, ...headers },
      body,
    });
  };

  beforeAll(async () => {
    api = await givenApi(make);
    ana = cookieOf(await signIn(api.as.ana.token));
  });

  test('an empty service says what to type next, without a sign-in', async () => {
    const services = await make();
    const app = await createApi(services);
    const { status, text, headers } = await call(app, 'GET /');
    expect(status).toBe(200);
    expect(text).toContain('portcullis init');
    expect(text).toContain('portcullis apply agent.yaml');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    await app.close();
  });

  test('signing in: the cookie is strict, HttpOnly and not the token; wrong tokens and other sites get none', async () => {
    const answer = await signIn(api.as.ana.token, '/actions');
    expect(answer).toMatchObject({ status: 303, headers: { location: '/actions' } });
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(/; Max-Age=14400; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(api.as.ana.token);
    const wrong = await signIn('pct_wrong');
    expect(wrong.status).toBe(401);
    expect(wrong.headers['set-cookie']).toBeUndefined();
    expect((await signIn(api.as.agent.token)).status).toBe(403);
    const body = new URLSearchParams({ token: api.as.ana.token }).toString();
    for (const origin of ['https://evil.example', 'null']) {
      const foreign = await call(api.app, 'POST /login', { headers: { ...FORM, origin }, body });
      expect(foreign.status).toBe(403);
    }
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      expect((await signIn(api.as.ana.token, next)).headers.location).toBe('/');
    }
  });

  test('without a session pages lead to the sign-in, and a link from elsewhere is opened again first', async () => {
    const { id } = await givenPendingAction(api.services);
    const answer = await get(`/actions/${id}`, {});
    expect(answer).toMatchObject({ status: 303 });
    expect(answer.headers.location).toBe(`/login?next=${encodeURIComponent(`/actions/${id}`)}`);
    const fromSlack = await get(`/actions/${id}`, { 'sec-fetch-site': 'cross-site' });
    expect(fromSlack).toMatchObject({ status: 200, headers: { refresh: '0' } });
    expect((await get('/', { cookie: 'portcullis_session=abc.def.ghi' })).status).toBe(303);
  });

  test('a session ends with its time, with its token and with signing out', async () => {
    const { services } = api;
    const token = await givenToken(services, 'approver', { person: 'ben' });
    const ben = cookieOf(await signIn(token.token));
    expect((await get('/actions', ben)).status).toBe(200);
    await revokeToken(services, actorOf('admin'), token.id);
    expect((await get('/actions', ben)).status).toBe(303);
    const once = cookieOf(await signIn(api.as.ana.token));
    const { text } = await get('/actions', once);
    const body = new URLSearchParams({ form: field(text, 'form') }).toString();
    const out = await call(api.app, 'POST /logout', { headers: { ...FORM, ...ORIGIN, ...once }, body });
    expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await get('/actions', once)).status).toBe(303);
    expect((await get('/actions')).status).toBe(200);
  });

  test('the page of an action shows what is needed to decide, the summary first and digests last', async () => {
    const action = await givenPendingAction(api.services, {
      args: { id: 'R-7', note: 'two\nlines', card: '4111-secret' },
      links: ['https://example.com/a', 'javascript:alert(1)'],
    });
    const { text } = await get(`/actions/${action.id}`);
    const order = [
      '<h1>Cancel order R-7</h1>',
      'Waiting for a decision',
      'The guest loses the room',
      'Decide by',
      'Compensable',
      'Book it again under the same number',
      'desk (version 1.0.0)',
      'gold',
      'own words',
      'The guest asked for it',
      '[redacted]',
      'Approve</button>',
      'Deny</button>',
      `<code>${action.args_digest}`,
    ].map((part) => text.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(text).not.toContain('4111-secret');
    expect(text).not.toContain('href="javascript');
    expect(text).toContain('in 60 min');
  });

  test('what the agent says cannot become markup, nor hide', async () => {
    const { id } = await givenPendingAction(api.services, {
      args: { id: '<script>alert(1)</script>' },
      reason: '"><img src=x onerror=alert(1)> \u202Eevil\u200B',
      agentVersion: "'><b>",
    });
    for (const path of [`/actions/${id}`, '/actions', '/queue', '/']) {
      const { text } = await get(path);
      expect(text).not.toMatch(/<script|<img|<b>|\u202E|\u200B/);
    }
    expect((await get(`/actions/${id}`)).text).toContain('\\u{202e}evil\\u{200b}');
  });

  test('approve and deny by form', async () => {
    const first = await givenPendingAction(api.services);
    const approved = await send(first.id, 'decisions', { verdict: 'approve' });
    expect(approved).toMatchObject({
      status: 303,
      headers: { location: `/actions/${first.id}?done=approve` },
    });
    expect((await get(String(approved.headers.location))).text).toContain('Your approval is recorded.');
    const row = await actionById(api.services.db.sql, first.id);
    expect(row).toMatchObject({ state: 'approved', decided_by: 'person' });

    const second = await givenPendingAction(api.services);
    const silent = await send(second.id, 'decisions', { verdict: 'deny', reason: ' ' });
    expect(silent.status).toBe(400);
    expect(silent.text).toContain('NOT recorded');
    await send(second.id, 'decisions', { verdict: 'deny', reason: 'Not this guest' });
    const { text } = await get(`/actions/${second.id}`);
    expect(text).toContain('Denied');
    expect(text).toContain('ana said deny by web');
    expect(text).toContain('Not this guest');
  });

  test('a forged, foreign, outdated or late form is not recorded and says so', async () => {
    const { services } = api;
    const { id } = await givenPendingAction(services);
    const approve = (values: Record<string, string>, headers = {}) =>
      send(id, 'decisions', { verdict: 'approve', ...values }, headers);
    for (const answer of [
      await approve({}, { origin: 'https://evil.example' }),
      await approve({ form: 'f'.repeat(64) }),
      await approve({ form: '' }),
      await approve({ digest: '0'.repeat(64) }),
      await approve({}, { cookie: '' }),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).toContain('NOT recorded');
    }
    const { text } = await get(`/actions/${id}`);
    const page = Object.fromEntries(['form', 'digest', 'revision'].map((name) => [name, field(text, name)]));
    services.clock.advance(3_600_001);
    const late = await call(api.app, `POST /actions/${id}/decisions`, {
      headers: { ...FORM, ...ORIGIN, ...ana },
      body: new URLSearchParams({ ...page, verdict: 'approve' }).toString(),
    });
    expect(late.status).toBe(409);
    expect((await actionById(services.db.sql, id)).state).toBe('pending');
    expect((await get(`/actions/${id}`)).text).toContain('its time is over');
  });

  test('who may not decide sees why instead of buttons', async () => {
    const { id } = await givenPendingAction(api.services, { behind: ['ana'] });
    const { text } = await get(`/actions/${id}`);
    expect(text).toContain('nobody approves their own request');
    expect(text).not.toContain('Approve</button>');
    const cleo = cookieOf(await signIn(api.as.cleo.token));
    expect((await get(`/actions/${id}`, cleo)).text).toContain('has not the role approver');
  });

  test('a wrong write is reported', async () => {
    const { services } = api;
    const { id } = await givenBegunAction(services);
    await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: true });
    const sent = await send(id, 'corrections', { reason: 'It was the other room' });
    expect(sent.status).toBe(303);
    expect((await get(`/actions/${id}`)).text).toContain('Reported as wrong by ana');
  });

  test('the lists show what waits first, and filter', async () => {
    const { text } = await get('/actions');
    expect(text.indexOf('Waiting for a decision (')).toBeGreaterThan(0);
    expect(text.indexOf('Everything else')).toBeGreaterThan(text.indexOf('Waiting for a decision ('));
    const denied = (await get('/actions?state=denied&agent=&segment=')).text;
    expect(denied).toContain('<option value="denied" selected>');
    expect(denied).not.toContain('<span class="state">Approved');
    expect((await get('/actions?state=nonsense')).status).toBe(200);
    expect((await get('/actions?agent=nobody')).text).toContain('None.');
  });

  test('the overview shows agents, what is in force and what is off', async () => {
    await disable(api.services, onCallActor(), { scope: 'tool/desk/refund', reason: 'wrong sums <b>' });
    const { text } = await get('/');
    expect(text).toContain('<h2>desk</h2>');
    expect(text).toContain('release 1');
    expect(text).toContain('tool/desk/refund');
    expect(text).toContain('wrong sums &lt;b&gt;');
    expect(text).toContain('Open rollouts');
  });

  test('pages work for readers of screens: language, labels, one heading, no script', async () => {
    const { id } = await givenPendingAction(api.services);
    for (const path of ['/', '/queue', '/actions', `/actions/${id}`, '/login']) {
      const { text } = await get(path);
      expect(text).toContain('<html lang="en">');
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text).not.toContain('<script');
      const fields = [...text.matchAll(/<(?:input|select|textarea)[^>]* id="([^"]+)"/g)].map(
        ([, name]) => name,
      );
      for (const name of fields) expect(text).toContain(`<label for="${name}">`);
      const unlabelled = [
        ...text.matchAll(/<(?:input|select|textarea)(?![^>]* (?:id="|type="hidden"))[^>]*>/g),
      ];
      expect(unlabelled).toEqual([]);
    }
  });

  test('a scaled day and test mode are said on the page', async () => {
    const services = await make({ dayMs: 1_296 });
    await givenAdopted(services, { agentYaml: `${AGENT_YAML}testMode: true\n` });
    const app = await createApi(services);
    const token = await givenToken(services, 'approver', { person: 'ana' });
    const body = new URLSearchParams({ token: token.token }).toString();
    const session = cookieOf(await call(app, 'POST /login', { headers: { ...FORM, ...ORIGIN }, body }));
    const { id } = await givenPendingAction(services);
    for (const path of ['/', '/actions', `/actions/${id}`, '/login']) {
      const { text } = await call(app, `GET ${path}`, { headers: session });
      expect(text).toContain('1 day = 1.3 s');
      if (path !== '/login') expect(text).toContain('TEST MODE');
    }
    await app.close();
  });
});
