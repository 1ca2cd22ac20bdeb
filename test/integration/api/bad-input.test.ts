import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { type Answer, askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import { AGENT_YAML, givenAdopted, givenToken } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const YAML_TYPE = { 'content-type': 'application/yaml' };

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.json).toMatchObject({
    type: `urn:portcullis:error:${code}`,
    title: expect.any(String),
    status,
    code,
    hint: expect.any(String),
    retry: expect.any(Boolean),
    instance: expect.stringMatching(/^urn:uuid:/),
    details: expect.any(Object),
  });
  expect(answer.status).toBe(status);
}

describeWithServices('bad input', (make) => {
  let api: TestApi;
  const post = (body: string, path = '/v1/actions', headers: Record<string, string> = JSON_TYPE) =>
    call(api.app, `POST ${path}`, { as: api.as.agent, headers, body });

  beforeAll(async () => {
    api = await givenApi(make);
  });

  test.each([
    ['malformed JSON', '{"tool": ', '$.tool'],
    ['a duplicate key', '{"tool":"cancel","tool":"lookup"}', '$.tool'],
    ['a duplicate key in the arguments', '{"args":{"id":"a","id":"b"}}', '$.args.id'],
    ['an integer beyond 2^53-1', '{"args":{"id":9007199254740993}}', '$.args.id'],
    ['half a character', '{"args":{"id":"\\ud800"}}', '$.args.id'],
    ['__proto__', '{"args":{"__proto__":{"id":"x"}}}', '$.args.__proto__'],
  ])('%s is args_not_exact', async (_, body, path) => {
    const answer = await post(body);
    expectProblem(answer, 400, 'args_not_exact');
    expect(answer.json.details.path).toBe(path);
  });

  test('bytes that are not UTF-8 are args_not_exact', async () => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/v1/actions',
      headers: { ...JSON_TYPE, ...api.as.agent.headers },
      payload: Buffer.from([0x7b, 0xff, 0x7d]),
    });
    expect(response.json().code).toBe('args_not_exact');
  });

  test('every missing or wrong field is named with its path, and no value is repeated', async () => {
    const answer = await post(
      JSON.stringify({ tool: 7, args: 'hunter2', links: ['a', 9], surprise: 'hunter3' }),
    );
    expectProblem(answer, 400, 'invalid_input');
    const paths = answer.json.details.issues.map((issue: { path: string }) => issue.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'body.tool',
        'body.args',
        'body.links.1',
        'body.subject',
        'body.idempotencyKey',
      ]),
    );
    expect(answer.text).toContain('surprise');
    expect(answer.text).not.toMatch(/hunter/);
  });

  test('an empty body, another content type, a body over the limit', async () => {
    expectProblem(await post(''), 400, 'invalid_input');
    expectProblem(
      await post('tool=cancel', '/v1/actions', { 'content-type': 'text/plain' }),
      400,
      'invalid_input',
    );
    expectProblem(await post(JSON.stringify({ args: { id: 'x'.repeat(1_100_000) } })), 413, 'body_too_large');
  });

  test('a NUL character is refused wherever it stands', async () => {
    expectProblem(await post(JSON.stringify(askBody({ subject: 'a\0b' }))), 400, 'invalid_input');
    const answer = await call(api.app, 'GET /v1/actions?segment=a%00b', { as: api.as.ana });
    expectProblem(answer, 400, 'invalid_input');
    const inArgs = await post(JSON.stringify(askBody({ args: { id: 'a\0b' } })));
    expect(inArgs.status).toBe(202);
    expect(inArgs.json.summary).toContain('u{0}');
  });

  test('what is not there: paths, agents, actions, releases, incidents, log entries, rollouts', async () => {
    expectProblem(await call(api.app, 'GET /v1/nothing', { as: api.as.ana }), 404, 'not_found');
    expectProblem(await call(api.app, 'GET /v1/agents/nobody', { as: api.as.ana }), 404, 'unknown_agent');
    expectProblem(
      await call(api.app, `GET /v1/actions/${randomUUID()}`, { as: api.as.ana }),
      404,
      'not_found',
    );
    expectProblem(
      await call(api.app, 'GET /v1/agents/desk/releases/99', { as: api.as.ana }),
      404,
      'not_found',
    );
    expectProblem(await call(api.app, 'GET /v1/incidents/none', { as: api.as.ana }), 404, 'not_found');
    expectProblem(
      await call(api.app, 'GET /v1/log/entries/999999', { as: api.as.auditor }),
      404,
      'not_found',
    );
    expectProblem(await call(api.app, 'GET /v1/rollouts/none', { as: api.as.ana }), 404, 'not_found');
  });

  test('names and states that cannot be', async () => {
    for (const path of [
      '/v1/actions/not-a-uuid',
      '/v1/actions?state=nonsense',
      '/v1/actions?limit=0',
      '/v1/actions?cursor=nonsense',
      `/v1/actions/${randomUUID()}?wait=soon`,
      '/v1/agents/no%20name',
      '/v1/log?after=-1',
    ]) {
      const answer = await call(api.app, `GET ${path}`, { as: api.as.auditor });
      expectProblem(answer, 400, 'invalid_input');
    }
    const scope = await call(api.app, 'PUT /v1/switches/nonsense', {
      as: api.as.cleo,
      body: { disabled: true, reason: 'test' },
    });
    expectProblem(scope, 400, 'invalid_input');
  });

  test('a manifest that does not hold is named line by line, as YAML and as JSON', async () => {
    const put = (body: unknown, headers = {}) =>
      call(api.app, 'PUT /v1/agents/desk', { as: api.as.olga, headers, body });
    const broken = await put(AGENT_YAML.replace('owners: [olga]', 'owners: [nobody]'), YAML_TYPE);
    expectProblem(broken, 422, 'manifest_invalid');
    expect(broken.json.details.problems[0]).toMatchObject({ line: 3, path: 'owners[0]' });
    expectProblem(await put('agent: [unclosed', YAML_TYPE), 422, 'manifest_invalid');
    expectProblem(await put({ agent: 'desk' }), 422, 'manifest_invalid');
    expectProblem(
      await put(AGENT_YAML.replace('agent: desk', 'agent: other'), YAML_TYPE),
      400,
      'invalid_input',
    );
  });

  test('the store down is 503 store_down, and nothing of the cause is told', async () => {
    const services = await make();
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
    const broken = { ...services, asks: { write: () => Promise.reject(cause) } };
    Object.setPrototypeOf(broken.asks, services.asks);
    const app = await createApi(broken as unknown as typeof services);
    await givenAdopted(services);
    const as = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
    Object.assign(broken.asks, { subject: () => Promise.reject(cause) });
    const answer = await call(app, 'POST /v1/actions', { as, body: askBody() });
    expectProblem(answer, 503, 'store_down');
    expect(answer.json.retry).toBe(true);
    expect(answer.text).not.toContain('10.0.0.7');

    Object.assign(broken.asks, { subject: () => Promise.reject(new Error('secret of the inside')) });
    const unknown = await call(app, 'POST /v1/actions', { as, body: askBody() });
    expectProblem(unknown, 500, 'internal');
    expect(unknown.text).not.toContain('secret');
    await app.close();
  });
});
