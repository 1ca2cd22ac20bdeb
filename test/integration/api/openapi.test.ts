import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { call } from '../../support/api.ts';
import { createTestServices } from '../../support/services.ts';

interface Operation {
  operationId: string;
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; schema?: unknown }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

const METHODS = ['get', 'put', 'post', 'delete'];

async function givenDocument() {
  const services = await createTestServices();
  const app = await createApi(services);
  const routes = app.printRoutes({ commonPrefix: false });
  const { json } = await call(app, 'GET /openapi.json');
  await app.close();
  await services.close();
  const operations = Object.entries(json.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return { document: json, operations, routes };
}

test('the document is OpenAPI 3.1 whose references and schemas hold', async () => {
  const { document, operations } = await givenDocument();
  expect(document.openapi).toBe('3.1.0');
  const text = JSON.stringify(document);
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(Object.keys(document.components.schemas)).toContain(name);
  }
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'doc', ...document });
  const schemas = operations.flatMap(({ operation }) => [
    ...Object.values(operation.requestBody?.content ?? {}),
    ...Object.values(operation.responses).flatMap((response) => Object.values(response.content ?? {})),
  ]);
  for (const { schema } of schemas) {
    const resolved = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components'));
    expect(() => ajv.compile(resolved)).not.toThrow();
  }
});

test('every operation has an id of its own, a summary, a tag, its path parameters and its problems', async () => {
  const { document, operations } = await givenDocument();
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = document.tags.map(({ name }: { name: string }) => name);
  for (const { path, method, operation } of operations) {
    expect(METHODS).toContain(method);
    expect(operation.summary, path).toBeTruthy();
    expect(tags).toContain(operation.tags?.[0]);
    const named = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => name);
    expect(named.sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());
    expect(operation.responses['4XX']?.content?.['application/problem+json']).toBeDefined();
    if (['put', 'post'].includes(method)) expect(operation.requestBody, path).toBeDefined();
  }
});

test('every route of the API is in it, and no page', async () => {
  const { operations, routes } = await givenDocument();
  const paths = new Set(operations.map(({ path }) => path));
  for (const path of [
    '/v1/actions',
    '/v1/actions/{id}',
    '/v1/actions/{id}/decisions',
    '/v1/actions/{id}/begin',
    '/v1/actions/{id}/complete',
    '/v1/actions/{id}/withdraw',
    '/v1/actions/{id}/corrections',
    '/v1/actions/{id}/edits',
    '/v1/actions/{id}/like',
    '/v1/actions/{id}/receipt',
    '/v1/actions/{id}/review',
    '/v1/approvals/batch',
    '/v1/approvals/queue',
    '/v1/approvals/reviews',
    '/v1/approvals/stats',
    '/v1/standing-approvals',
    '/v1/standing-approvals/{id}/revoke',
    '/v1/autonomy',
    '/v1/autonomy/answers',
    '/v1/autonomy/take-back',
    '/v1/agents/{agent}/deputies',
    '/v1/agents/{agent}/deputies/{id}',
    '/v1/outcomes',
    '/v1/agents/{agent}',
    '/v1/agents/{agent}/releases',
    '/v1/agents/{agent}/releases/{release}/adopt',
    '/v1/rollouts',
    '/v1/rollouts/{id}',
    '/v1/rollouts/{id}/{verb}',
    '/v1/switches/{scope}',
    '/v1/incidents',
    '/v1/log',
    '/v1/events',
    '/v1/posture',
    '/v1/tokens',
    '/livez',
    '/healthz',
    '/readyz',
    '/metrics',
    '/.well-known/jwks.json',
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths).not.toContain('/login');
  expect(routes).toContain('login');
});

test('what waiting looks like, and what an edit, a batch and a standing approval take, is described', async () => {
  const { document, operations } = await givenDocument();
  const named = (id: string) => operations.find(({ operation }) => operation.operationId === id)?.operation;
  const answer = JSON.stringify(named('getAction')?.responses['200']);
  expect(answer).toContain('#/components/schemas/ActionDetail');
  const { queue, asked, standingWish, args } = document.components.schemas.ActionDetail.properties;
  for (const part of [queue, asked, standingWish, args]) expect(part.description).toBeTruthy();
  const body = (id: string) => JSON.stringify(named(id)?.requestBody);
  expect(body('edit')).toMatch(/"required":\[.*"args".*"digest".*"revision"/);
  expect(body('decideBatch')).toContain('"maxItems":50');
  for (const field of ['envelope', 'maxUses', 'for', 'breakGlass'])
    expect(body('decide')).toContain(`"${field}"`);
  expect(body('revokeStandingApproval')).toContain('"reason"');
  expect(body('begin')).toContain('"round"');
});

test('health, readiness, metrics and keys need no token', async () => {
  const services = await createTestServices();
  const app = await createApi(services, { temporal: async () => false });
  expect((await call(app, 'GET /healthz')).json).toEqual({ status: 'ok' });
  expect((await call(app, 'GET /readyz')).json).toMatchObject({
    status: 'ready',
    database: 'up',
    temporal: 'down',
    unsequencedTail: 0,
  });
  const metrics = await call(app, 'GET /metrics');
  expect(metrics.headers['content-type']).toContain('text/plain');
  expect(metrics.text).toContain('portcullis_log_unsequenced_entries 0');
  expect(metrics.text).toContain(
    'portcullis_http_requests_total{method="GET",route="/readyz",status="200"} 1',
  );
  const { keys } = (await call(app, 'GET /.well-known/jwks.json')).json;
  expect(keys).toEqual([expect.objectContaining({ kty: 'OKP', alg: 'EdDSA', use: 'sig' })]);
  expect(keys[0].d).toBeUndefined();
  await app.close();
  await services.close();
});
