import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countsOf, metricSourceSchema } from '../../../src/domain/metric-source.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { readSource } from '../../../src/metric-sources/read.ts';

let server: Server;
let url: string;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage) => { status?: number; body: string };
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    const { status = 200, body } = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

const question = {
  release: '2',
  segment: 'gold "the first"',
  arm: 'candidate',
  from: new Date('2026-11-30T10:00:00Z'),
  to: new Date('2026-11-30T11:00:00Z'),
};
const read = (source: object, env: Record<string, string> = {}) =>
  readSource(metricSourceSchema.parse(source), question, sourceCredentials(env));

describe('a service that answers with JSON', () => {
  const http = (more: object = {}) => ({
    http: { url: `${url}/counts?release={release}&segment={segment}&from={from}`, ...more },
  });

  test('is asked for the release, the segment and the time, and says both figures', async () => {
    answer = () => ({ body: '{"events": 40, "harms": 2}' });
    expect(await read(http())).toMatchObject({ counts: { events: 40, harms: 2 } });
    const at = new URL(asked[0]?.url ?? '', url);
    expect(Object.fromEntries(at.searchParams)).toEqual({
      release: '2',
      segment: 'gold "the first"',
      from: '2026-11-30T10:00:00.000Z',
    });
  });

  test('says them where the pointers point', async () => {
    answer = () => ({ body: '{"today": {"a/b": [7, "3"]}}' });
    const pointed = http({ events: '/today/a~1b/0', harms: '/today/a~1b/1' });
    expect(await read(pointed)).toMatchObject({ counts: { events: 7, harms: 3 } });
  });

  test('gets the token that is named, from the environment or a file, read each time', async () => {
    answer = () => ({ body: '{"events": 1, "harms": 0}' });
    const folder = await mkdtemp(join(tmpdir(), 'source-'));
    const file = join(folder, 'token');
    const secret = http({ credential: 'DESK' });
    const own = { PORTCULLIS_SOURCE_DESK_ORIGIN: url };
    await read(secret, { ...own, PORTCULLIS_SOURCE_DESK: 'one' });
    for (const token of ['two\n', 'three\n']) {
      writeFileSync(file, token);
      await read(secret, { ...own, PORTCULLIS_SOURCE_DESK_FILE: file });
    }
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer two',
      'Bearer three',
    ]);
    await rm(folder, { recursive: true });
    await expect(read(secret, { ...own, PORTCULLIS_SOURCE_DESK_FILE: file })).rejects.toThrow(
      'PORTCULLIS_SOURCE_DESK_FILE cannot be read',
    );
    await expect(read(secret)).rejects.toThrow('PORTCULLIS_SOURCE_DESK is not set');
  });

  test('gets no token that was not said to be for it: a manifest cannot send a secret elsewhere', async () => {
    answer = () => ({ body: '{"events": 1, "harms": 0}' });
    const given = { PORTCULLIS_SOURCE_DESK: 'postgres://u:secret@db/orders' };
    for (const origin of [undefined, 'https://desk.example.com', `${url}.example.com`])
      await expect(
        read(http({ credential: 'DESK' }), {
          ...given,
          ...(origin && { PORTCULLIS_SOURCE_DESK_ORIGIN: origin }),
        }),
      ).rejects.toThrow(`PORTCULLIS_SOURCE_DESK is not for ${url}`);
    expect(asked).toEqual([]);
  });

  test.each([
    ['no JSON', { body: 'oops' }, 'no JSON'],
    ['an error', { status: 503, body: '{"message": "down for lunch"}' }, 'status 503: down for lunch'],
    ['nothing where it should be', { body: '{"harms": 1}' }, 'says nothing at /events'],
    ['no number', { body: '{"events": "many", "harms": 1}' }, 'it says "many" events, which is no count'],
    ['less than nothing', { body: '{"events": 4, "harms": -1}' }, 'it says -1 harms, which is no count'],
    ['more harm than events', { body: '{"events": 4, "harms": 5}' }, 'it says 5 harms among 4 events'],
    ['half an answer', { body: '{"events": 4}' }, 'it says no harms, which is no count'],
  ])('that says %s says nothing that counts', async (_, said, problem) => {
    answer = () => said;
    await expect(read(http())).rejects.toThrow(problem);
  });

  test('that says null knows of no such events', async () => {
    answer = () => ({ body: '{"events": null, "harms": null}' });
    expect(await read(http())).toMatchObject({ none: true });
  });
});

describe('Prometheus', () => {
  const source = () => ({
    prometheus: {
      url,
      events: 'sum(increase(calls_total{segment="{segment}",release="{release}"}[{window}]))',
      harms: 'sum(increase(wrong_total{segment="{segment}",release="{release}"}[{window}]))',
    },
  });
  const vector = (...values: string[]) =>
    JSON.stringify({
      status: 'success',
      data: {
        resultType: 'vector',
        result: values.map((value) => ({ metric: {}, value: [1_764_500_400.1, value] })),
      },
    });
  const queryOf = (request: IncomingMessage) =>
    new URL(request.url ?? '', url).searchParams.get('query') ?? '';

  test('is asked for both at the end of the window; names cannot leave their quotes', async () => {
    answer = (request) => ({ body: vector(queryOf(request).includes('wrong') ? '2.98' : '41.3') });
    // Extrapolated figures are rounded so that less speaks against the release.
    expect(await read(source())).toMatchObject({ counts: { events: 42, harms: 2 } });
    expect(queryOf(asked[0] as IncomingMessage)).toBe(
      'sum(increase(calls_total{segment="gold \\"the first\\"",release="2"}[3600s]))',
    );
  });

  test('that has no series knows of no such events; of harm alone that may be a wrong name', async () => {
    answer = () => ({ body: vector() });
    expect(await read(source())).toMatchObject({ none: true });
    answer = (request) => ({ body: queryOf(request).includes('wrong') ? vector() : vector('5') });
    await expect(read(source())).rejects.toThrow('write "or vector(0)" behind it if no series means no harm');
  });

  test.each([
    ['NaN', () => vector('NaN'), 'it says NaN events, which is no count'],
    ['infinity', () => vector('+Inf'), 'it says Infinity events, which is no count'],
    ['several series', () => vector('1', '2'), 'with 2 series: sum them up'],
    [
      'a range',
      () => JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }),
      'with no number',
    ],
  ])('that answers with %s says nothing that counts', async (_, body, problem) => {
    answer = () => ({ body: body() });
    await expect(read(source())).rejects.toThrow(problem);
  });

  test('that refuses a query says why', async () => {
    answer = () => ({
      status: 400,
      body: '{"status":"error","error":"parse error: unexpected end of input"}',
    });
    await expect(read(source())).rejects.toThrow('status 400: parse error: unexpected end of input');
  });
});

test('whole numbers stay what they are', () => {
  expect(countsOf({ events: 3, harms: 1 })).toEqual({ events: 3, harms: 1 });
  expect(countsOf({ events: 2.999_999_9, harms: 1.000_000_1 })).toEqual({ events: 3, harms: 1 });
  expect(countsOf({ events: 10n, harms: '4' })).toEqual({ events: 10, harms: 4 });
});

test.each([
  [{}, 'says one of prometheus, sql, http, otlp and approvals'],
  [{ otlp: { events: 'calls' } }, 'says one of harms (a counter) and above (of the histogram)'],
  [{ otlp: { events: 'calls', harms: 'calls' } }, 'every event would be harm'],
  [{ http: { url: 'ftp://x/{release}' } }, 'is not an http or https address'],
  [{ sql: { database: 'lower', query: 'x' } }, 'write capital letters'],
  [{ sql: { database: 'CALLS', query: 'x' }, every: '1h' }, 'is not longer than'],
])('%j is refused', (source, problem) => {
  expect(metricSourceSchema.safeParse(source).error?.message).toContain(problem);
});

test('a secret that is no address of a database is not said', async () => {
  const sql = { sql: { database: 'ORDERS', query: 'SELECT 1 AS events, 0 AS harms' } };
  const failed = read(sql, { PORTCULLIS_SOURCE_ORDERS: 'postgres://u:p/ss@h/d' });
  await expect(failed).rejects.toThrow('PORTCULLIS_SOURCE_ORDERS is no address of a Postgres');
});
