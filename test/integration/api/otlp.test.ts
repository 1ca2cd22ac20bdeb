import { gzipSync } from 'node:zlib';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { Resource } from '@opentelemetry/resources';
import {
  ExplicitBucketHistogramAggregation,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
  View,
} from '@opentelemetry/sdk-metrics';
import type { FastifyInstance } from 'fastify';
import { beforeEach, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { ManualClock } from '../../../src/clock.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { dropOldPoints } from '../../../src/retention/drop-points.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { call } from '../../support/api.ts';
import { type GivenToken, givenToken } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenExposed, goldOf } from '../rollouts/support.ts';
import { field, GUARDRAILS, METRICS, PATH, point, request } from './otlp-desk.ts';

describeWithServices('metrics by OpenTelemetry', (make) => {
  let services: TestServices;
  let app: FastifyInstance;
  let as: GivenToken;
  let id: string;
  beforeEach(async () => {
    // Exporters go by the clock of the machine; what is exposed for some minutes counts from its first whole one.
    services = await make({ clock: new ManualClock(new Date(Date.now() - 180_000)) });
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS });
    as = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
    services.clock.advance(240_000);
    app = await createApi(services);
    return () => app.close();
  });

  async function judged(metric: string) {
    // A source is read once a minute.
    services.clock.advance(61_000);
    await readSources(services, sourceCredentials({}));
    await queueExposed(services);
    await judgeDue(services);
    return goldOf(services, id, metric);
  }

  const { DELTA, CUMULATIVE } = AggregationTemporalityPreference;
  test.each([
    ['JSON, cumulative', JsonExporter, CUMULATIVE, 'none'],
    ['JSON in gzip, delta', JsonExporter, DELTA, 'gzip'],
    ['protobuf, cumulative', ProtobufExporter, CUMULATIVE, 'none'],
    ['protobuf in gzip, delta', ProtobufExporter, DELTA, 'gzip'],
  ] as const)(
    'from an exporter as teams run it: %s',
    async (_, Exporter, temporalityPreference, compression) => {
      const address = await app.listen({ port: 0, host: '127.0.0.1' });
      const exporter = new Exporter({
        url: address + PATH,
        headers: as.headers,
        temporalityPreference,
        compression: compression as never,
      });
      const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
      const provider = new MeterProvider({
        resource: new Resource({ 'portcullis.release': '2', 'service.instance.id': 'a' }),
        readers: [reader],
        views: [
          new View({
            instrumentType: InstrumentType.HISTOGRAM,
            aggregation: new ExplicitBucketHistogramAggregation([0.5, 2.5, 10]),
          }),
        ],
      });
      const meter = provider.getMeter('desk');
      const seconds = meter.createHistogram('call.seconds');
      const [calls, failures] = [meter.createCounter('calls'), meter.createCounter('failures')];
      const gold = { 'portcullis.segment': 'gold' };
      for (const value of [0.1, 2.5, 2.6, 90]) seconds.record(value, gold);
      calls.add(5, gold);
      failures.add(1, gold);
      meter.createCounter('of no interest').add(1);
      await provider.forceFlush();
      seconds.record(3, gold);
      calls.add(2, gold);
      calls.add(40, { 'portcullis.segment': 'silver' });
      await provider.forceFlush();
      expect(await judged('slow')).toMatchObject({ events: 5, harms: 3, known: 5 });
      expect(await judged('failed')).toMatchObject({ events: 7, harms: 1 });
      const now = services.clock.now();
      const asked = new URLSearchParams({
        ...{ metric: 'slow', release: '2', segment: 'gold' },
        ...{ from: new Date(now.getTime() - 3_600_000).toISOString(), to: now.toISOString() },
      });
      const sent = await call(app, `GET /v1/agents/desk/sent-counts?${asked}`, { as });
      expect(sent.json).toEqual({ counts: { events: 5, harms: 3 } });
      asked.set('release', '3');
      expect((await call(app, `GET /v1/agents/desk/sent-counts?${asked}`, { as })).json).toEqual({
        counts: { events: 0, harms: 0 },
      });
      await provider.shutdown();
      // What an exporter says once more at its end is nothing new.
      expect(await judged('failed')).toMatchObject({ events: 7, harms: 1 });
    },
  );

  const send = (body: unknown, headers = {}) => call(app, `POST ${PATH}`, { as, body, headers });

  test('what is sent again counts once, as many times and at once as it is sent', async () => {
    const body = request([point()]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(body)));
    expect(answers.map(({ status, json }) => [status, json])).toEqual(
      Array.from({ length: 5 }, () => [200, {}]),
    );
    expect(await judged('failed')).toMatchObject({ events: 8, harms: 0 });
  });

  test.each([
    ['no release', { attributes: [] }, 'failed: calls has no release: set the attribute portcullis.release'],
    [
      'a segment that there is not',
      {
        attributes: [
          { key: 'portcullis.release', value: { stringValue: '2' } },
          { key: 'portcullis.segment', value: { stringValue: 'tin' } },
        ],
      },
      'has the segment "tin": set the attribute portcullis.segment to one of gold, silver, default',
    ],
    ['tomorrow', { timeUnixNano: `${Date.now() + 86_400_000}000000` }, 'ahead of this clock'],
    ['less than nothing', { asInt: '-3' }, 'says -3, which is no count'],
    ['no number', { asInt: undefined, asDouble: 'NaN' }, 'says NaN, which is no count'],
  ])('a point with %s is told and not counted, the others are', async (_, wrong, message) => {
    const other = point({ attributes: [...point().attributes, { key: 'pod', value: { intValue: '2' } }] });
    const { status, json } = await send(request([point(wrong), other]));
    expect(status).toBe(200);
    expect(json).toEqual({
      partialSuccess: { rejectedDataPoints: '1', errorMessage: expect.stringContaining(message) },
    });
    expect(await judged('failed')).toMatchObject({ events: 8, harms: 0 });
  });

  const key = (name: string, value: string) => ({ key: name, value: { stringValue: value } });
  const nowMs = Date.now();
  const from = (pod: string, total: number, startedAgoMs: number, agoMs: number) => ({
    resourceMetrics: [
      {
        resource: { attributes: [key('pod', pod)] },
        ...request([
          point({
            asInt: String(total),
            startTimeUnixNano: `${nowMs - startedAgoMs}000000`,
            timeUnixNano: `${nowMs - agoMs}000000`,
          }),
        ]).resourceMetrics[0],
      },
    ],
  });

  test('a series that appears late in a process that is heard already counts from its first point', async () => {
    await send({ resourceMetrics: [{ resource: { attributes: [key('pod', 'a')] } }] });
    await send(from('a', 3, 7_200_000, 30_000));
    await send(from('b', 900, 7_200_000, 30_000));
    expect(await judged('failed')).toMatchObject({ events: 3 });
    await send(from('b', 901, 7_200_000, 10_000));
    expect(await judged('failed')).toMatchObject({ events: 4 });
  });

  test('an exporter that died is an outage after a while, whatever it sent before; a quiet one is none', async () => {
    await send(request([point()]));
    expect(await judged('failed')).toMatchObject({ events: 8, verdict: 'inconclusive' });
    services.clock.advance(8 * 60_000);
    await send({ resourceMetrics: [{ resource: { attributes: [] } }] });
    services.clock.advance(8 * 60_000);
    expect((await judged('failed')).verdict).toBe('inconclusive');
    services.clock.advance(2 * 60_000);
    expect(await judged('failed')).toMatchObject({
      verdict: 'source-down',
      sourceDown: expect.stringContaining('no exporter that sends it was heard since'),
      events: 8,
    });
  });

  test('harm that comes in the minute after its event, over the end of a day, is no outage', async () => {
    await services.db.sql
      .insertInto('otlp_count')
      .values({
        ...{ agent: 'desk', metric: 'failed', release: '2', segment: 'gold', events: 0, harms: 1 },
        minute: new Date(services.clock.now().getTime() - 60_000),
      })
      .execute();
    await send(request([point()]));
    expect(await judged('failed')).toMatchObject({ events: 8, harms: 1 });
  });

  test('a resource is not copied for each of very many points: what nobody named costs nothing', async () => {
    const big = [key('blob', 'x'.repeat(200_000))];
    const dataPoints = Array.from({ length: 40_000 }, () => ({}));
    const body = request(dataPoints, 'of no interest') as { resourceMetrics: object[] };
    body.resourceMetrics[0] = { ...body.resourceMetrics[0], resource: { attributes: big } };
    const before = process.memoryUsage().rss;
    expect((await send(body)).status).toBe(200);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    // Two bytes each in protobuf, of an instrument that is named.
    const sum = Buffer.alloc(2 * 50_001, Buffer.from([0x0a, 0x00]));
    const metric = Buffer.concat([field(1, Buffer.from('calls')), field(7, sum)]);
    const refused = await app.inject({
      method: 'POST',
      url: PATH,
      headers: { ...as.headers, 'content-type': 'application/x-protobuf' },
      payload: field(1, field(2, field(2, metric))),
    });
    expect(refused.statusCode).toBe(400);
    expect(refused.json().detail).toContain('it holds 50001 data points: send at most 50000');
  });

  test('a point without a value is none', async () => {
    expect((await send(request([point({ flags: 1 })]))).json).toEqual({});
    expect(await services.db.sql.selectFrom('otlp_series').selectAll().execute()).toEqual([]);
  });

  test.each([
    ['no JSON of metrics', '{"resourceMetrics": 3}', { 'content-type': 'application/json' }, 400],
    [
      'a time beyond all times',
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"calls","sum":{"dataPoints":[{"timeUnixNano":1e30}]}}]}]}]}',
      { 'content-type': 'application/json' },
      400,
    ],
    ['no protobuf', '\u0007\u0007\u0007', { 'content-type': 'application/x-protobuf' }, 400],
    ['no gzip', 'plain', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 400],
    ['another encoding', '{}', { 'content-type': 'application/json', 'content-encoding': 'br' }, 400],
  ])('%s is refused with a word', async (_, body, headers, expected) => {
    const { status, json } = await send(body, headers);
    expect(status).toBe(expected);
    expect(json.detail ?? json.title).toMatch(/\w/);
  });

  test('a body may unpack to no more than a body may hold', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    const response = await app.inject({
      method: 'POST',
      url: PATH,
      headers: { ...as.headers, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      payload: bomb,
    });
    expect(response.statusCode).toBe(413);
  });

  test('more points than one request may hold are refused whole', async () => {
    const many = Array.from({ length: 2_001 }, () => point());
    expect((await send(request(many))).json.detail).toContain('at most 2000');
    expect(await services.db.sql.selectFrom('otlp_count').selectAll().execute()).toEqual([]);
  });

  test('what nothing reads any more goes, and a point of its series is too late by then', async () => {
    await send(request([point()]));
    await dropOldPoints(services.db.sql, services.clock.now());
    expect(await services.db.sql.selectFrom('otlp_series').select('metric').execute()).toHaveLength(1);
    services.clock.advance(40 * 86_400_000);
    await dropOldPoints(services.db.sql, services.clock.now());
    for (const table of ['otlp_series', 'otlp_sender', 'otlp_count'] as const)
      expect(await services.db.sql.selectFrom(table).select('metric').execute()).toEqual([]);
    expect((await send(request([point()]))).json.partialSuccess.errorMessage).toContain(
      'more than a day late',
    );
  });
});
