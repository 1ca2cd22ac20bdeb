import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { createSwitchApi } from '../../../src/api/switch-server.ts';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import { createTestServices } from '../../support/services.ts';

/** What any HTTP answer has. */
const USUAL = ['connection', 'content-length', 'content-type', 'date', 'transfer-encoding'];
const ANY = ['x-content-type-options'];
const DATA = ['cache-control', ...ANY];
const PAGE = [
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'referrer-policy',
  ...ANY,
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-permitted-cross-domain-policies',
  'x-xss-protection',
];
const BROWSER = { accept: 'text/html' };

let api: TestApi;
let secure: FastifyInstance;
let switchApi: FastifyInstance;

beforeAll(async () => {
  api = await givenApi(createTestServices);
  const overHttps = Object.create(api.services, { publicUrl: { value: 'https://portcullis.test' } });
  secure = await createApi(overHttps);
  switchApi = await createSwitchApi(api.services, { publicUrl: 'http://portcullis.test' });
});
afterAll(async () => {
  await Promise.all([api.app.close(), secure.close(), switchApi.close()]);
  await api.services.close();
});

type Line = Parameters<typeof call>[1];
async function headersOf(line: Line, options: Parameters<typeof call>[2] = {}, app = api.app) {
  const { headers } = await call(app, line, options);
  return {
    headers,
    names: Object.keys(headers)
      .filter((name) => !USUAL.includes(name))
      .sort(),
  };
}

test('an answer of the API says that it is what it is and is kept nowhere, and nothing about pages', async () => {
  const as = api.as.agent;
  const asked = await headersOf('POST /v1/actions', { as, body: askBody() });
  expect(asked.names).toEqual([...DATA, 'location', 'retry-after'].sort());
  expect(asked.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  const refused = await headersOf('POST /v1/actions/1/begin', { as, body: {} });
  expect(refused.names).toEqual(DATA);
  expect((await headersOf('GET /v1/actions')).names).toEqual([...DATA, 'www-authenticate'].sort());
  const listed = await headersOf('GET /v1/agents', { as: api.as.olga });
  expect(listed.names).toEqual(DATA);
});

test('what anybody may know may be kept', async () => {
  for (const path of ['/healthz', '/metrics', '/openapi.json', '/v1/nothing'] as const)
    expect({ path, names: (await headersOf(`GET ${path}`)).names }).toEqual({ path, names: ANY });
  const keys = await headersOf('GET /.well-known/jwks.json');
  expect([keys.names, keys.headers['cache-control']]).toEqual([DATA, 'public, max-age=300']);
});

test('pages, forms and what they load say what a browser may do with them', async () => {
  const page = await headersOf('GET /login', { headers: BROWSER });
  expect(page.names).toEqual(['cache-control', ...PAGE]);
  expect(page.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none';style-src 'self';img-src 'self' data:;form-action 'self';frame-ancestors 'none';base-uri 'none'",
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'same-origin',
  });
  expect((await headersOf('GET /style.css')).names).toEqual(['cache-control', ...PAGE]);
  expect((await headersOf('GET /nothing', { headers: BROWSER })).names).toEqual(['cache-control', ...PAGE]);
  expect((await headersOf('GET /actions', { headers: BROWSER })).names).toEqual([
    ...PAGE.slice(0, 3),
    'location',
    ...PAGE.slice(3),
  ]);
});

test('the switch’s own listener says what the API says', async () => {
  expect((await headersOf('GET /healthz', {}, switchApi)).names).toEqual(ANY);
  expect((await headersOf('PUT /v1/switches/everything', {}, switchApi)).names).toEqual([
    'www-authenticate',
    ...ANY,
  ]);
});

test('over https every one of them keeps to it', async () => {
  for (const line of ['GET /healthz', 'GET /v1/actions', 'GET /login', 'GET /nothing'] as const) {
    const { headers } = await headersOf(line, { headers: BROWSER }, secure);
    expect(headers['strict-transport-security'], line).toBe('max-age=31536000; includeSubDomains');
  }
  expect((await headersOf('GET /healthz')).headers['strict-transport-security']).toBeUndefined();
});

test('a request for another name, and one that cannot be read, are protected as well', async () => {
  expect((await headersOf('GET /healthz', { headers: { host: 'evil.example' } })).names).toEqual(ANY);
  expect((await headersOf('GET /%ff' as Line)).names).toEqual(ANY);
});
