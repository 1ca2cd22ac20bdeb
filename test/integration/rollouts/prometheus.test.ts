import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { metricSourceSchema } from '../../../src/domain/metric-source.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { readSource } from '../../../src/metric-sources/read.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { BUILD_WAIT_MS } from '../../support/prometheus/binary.ts';
import { TestExporter } from '../../support/prometheus/exporter.ts';
import { startPrometheus, type TestPrometheus } from '../../support/prometheus/server.ts';
import { createTestServices } from '../../support/services.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';
import { givenExposed } from './support.ts';

const LABELS = 'job="desk",release="{release}",segment="{segment}"';
const EVENTS = `sum(increase(calls_total{${LABELS}}[{window}]))`;
const HARMS = `sum(increase(calls_total{${LABELS},ok="false"}[{window}])) or vector(0)`;
/** A window is of whole seconds: what lies before this is in it for sure. */
const SURELY_IN_MS = 2_300;
/** What `increase` adds for the ends of a window that no sample lies on. */
const EXTRAPOLATED = 1.5;

/** Each series of the one side fits several of the other. */
const AMBIGUOUS = 'calls_total{ok="true"} * on (segment) calls_total';

let exporter: TestExporter;
let prometheus: TestPrometheus;
beforeAll(async () => {
  exporter = await TestExporter.start();
  prometheus = await startPrometheus(exporter.address);
}, BUILD_WAIT_MS);
afterAll(async () => {
  await prometheus?.stop();
  await exporter?.stop();
});

let release: string;
let releases = 0;
/** Each test looks at a release of its own, whose series are there and at nothing. */
beforeEach(async () => {
  releases += 1;
  release = `r${releases}`;
  exporter.up = true;
  call(1, 1);
  exporter.restart();
  await prometheus.scraped();
});

const labels = (more: Record<string, string> = {}) => ({ release, segment: 'gold', ...more });
function call(good: number, bad = 0): void {
  exporter.add('calls_total', labels({ ok: 'true' }), good);
  exporter.add('calls_total', labels({ ok: 'false' }), bad);
}

const sourceOf = (events: string, harms: string, more: object = {}) =>
  metricSourceSchema.parse({ prometheus: { url: prometheus.url, events, harms }, ...more });

const ask = (events: string, harms: string, { from, to = new Date() }: { from: Date; to?: Date }) =>
  readSource(
    sourceOf(events, harms),
    { release, segment: 'gold', arm: 'candidate', from, to },
    sourceCredentials({}),
  );

/** What was counted of what `work` did, all of it scraped. */
async function counted(work: () => unknown, events = EVENTS, harms = HARMS) {
  const from = new Date();
  await sleep(SURELY_IN_MS);
  await work();
  await prometheus.scraped();
  const to = new Date();
  return { from, to, answer: await ask(events, harms, { from, to }) };
}

/** Never less than there was, and no more than the ends of the window can add. */
function expectCounts(answer: unknown, events: number, harms: number): void {
  const { counts } = answer as { counts: { events: number; harms: number } };
  expect(counts.events).toBeGreaterThanOrEqual(events);
  expect(counts.events).toBeLessThanOrEqual(Math.ceil(events * EXTRAPOLATED));
  expect(counts.harms).toBeGreaterThanOrEqual(harms);
  expect(counts.harms).toBeLessThanOrEqual(Math.ceil(harms * EXTRAPOLATED));
}

describe('a counter of a real Prometheus', () => {
  test('is counted whole, also where the process that exports it began anew', async () => {
    const { answer, from, to } = await counted(async () => {
      call(30, 5);
      await prometheus.scraped();
      exporter.restart();
      await prometheus.scraped();
      call(12, 3);
    });
    expectCounts(answer, 50, 8);
    // The same figures, as it says them itself, rounded so that less speaks against the release.
    const [events, harms] = await Promise.all(
      answer.sent.map(async (query) => Number((await prometheus.query(query, to))[0]?.value[1])),
    );
    expect(answer).toMatchObject({
      counts: { events: Math.ceil((events ?? 0) - 1e-6), harms: Math.floor((harms ?? 0) + 1e-6) },
    });
    // Asked again it says the same again, whatever happened since.
    call(500, 500);
    await prometheus.scraped();
    expect(await ask(EVENTS, HARMS, { from, to })).toEqual(answer);
  });

  test('of which nothing is harm has none, and not none that is known', async () => {
    const { answer } = await counted(() => call(40));
    expectCounts(answer, 40, 0);
  });

  test('that is exported no more is known of as long as its samples lie in the window, and then of no such events', async () => {
    const { answer, from } = await counted(() => call(20, 2));
    expectCounts(answer, 20, 2);
    exporter.drop('calls_total');
    await prometheus.scraped();
    expectCounts(await ask(EVENTS, HARMS, { from }), 20, 2);
    const { answer: after } = await counted(() => {});
    expect(after).toMatchObject({ none: true });
    // As it stands it is stale at once, and not for five minutes more.
    expect(await prometheus.query(`calls_total{job="desk",release="${release}"}`)).toEqual([]);
  });

  test('of a process that does not answer says what was known of it, and of a time without samples nothing', async () => {
    const { from } = await counted(() => call(20, 2));
    exporter.up = false;
    call(100, 100);
    await sleep(SURELY_IN_MS);
    expectCounts(await ask(EVENTS, HARMS, { from }), 20, 2);
    const hourAgo = new Date(Date.now() - 3_600_000);
    const before = { from: new Date(hourAgo.getTime() - 60_000), to: hourAgo };
    expect(await ask(EVENTS, HARMS, before)).toMatchObject({ none: true });
  });
});

describe('a histogram of a real Prometheus', () => {
  const BOUNDS = [1, 2.5, 10];
  const observe = (value: number, times: number) => {
    for (let n = 0; n < times; n++) exporter.observe('call_seconds', labels(), value, BOUNDS);
  };
  const NATIVE = `sum(increase(call_seconds{job="native",release="{release}",segment="{segment}"}[{window}]))`;

  test.each([
    [
      'classic',
      `sum(increase(call_seconds_count{${LABELS}}[{window}]))`,
      `sum(increase(call_seconds_count{${LABELS}}[{window}])) - sum(increase(call_seconds_bucket{${LABELS},le="2.5"}[{window}])) or vector(0)`,
    ],
    [
      'native',
      `histogram_count(${NATIVE})`,
      `histogram_fraction(2.5, +Inf, ${NATIVE}) * histogram_count(${NATIVE})`,
    ],
  ])('says how many values lie above a bound: %s', async (_, events, harms) => {
    observe(1, 1);
    exporter.restart();
    await prometheus.scraped();
    const work = async () => {
      observe(0.4, 20);
      observe(2.5, 5);
      await prometheus.scraped();
      exporter.restart();
      await prometheus.scraped();
      observe(3, 9);
      observe(60, 6);
    };
    const { answer } = await counted(work, events, harms);
    expectCounts(answer, 40, 15);
  });
});

describe('what is no count', () => {
  test.each([
    ['harm that is NaN', 'vector(9)', '0 / vector(0)', 'it says NaN harms, which is no count'],
    ['events without end', '1 / vector(0)', 'vector(1)', 'it says Infinity events, which is no count'],
    ['more harm than events', 'vector(1)', 'vector(2)', 'it says 2 harms among 1 events'],
    ['what is no query', 'sum(', 'vector(1)', /^Prometheus answers with status 400: .*parse error/],
    ['a function that is not', 'vector(9)', 'nonsense(1)', /^Prometheus .* status 400: .*unknown function/],
    ['what cannot be worked out', 'vector(9)', AMBIGUOUS, /^Prometheus answers with status 422: /],
    ['several series', `calls_total{${LABELS}}`, 'vector(1)', /with 2 series: sum them up$/],
    ['a range of samples', `calls_total{${LABELS}}[{window}]`, 'vector(1)', /with no number: write one/],
    [
      'harm of another name',
      'vector(9)',
      'sum(calls_totl)',
      /^Prometheus has no series for .*or vector\(0\)/,
    ],
  ])('%s is told', async (_, events, harms, why) => {
    await expect(ask(events, harms, { from: new Date(Date.now() - 5_000) })).rejects.toThrow(why);
  });

  test('a metric of the release that nobody met yet is no failure', async () => {
    release = 'unmet';
    expect(await ask(EVENTS, HARMS, { from: new Date(Date.now() - 5_000) })).toMatchObject({ none: true });
  });
});

test('a rollout counts nothing of the warm-up, and what was scraped late for the day that it is of', async () => {
  release = '2';
  call(1, 1);
  exporter.restart();
  await prometheus.scraped();
  const services = await createTestServices({ clock: new ManualClock(new Date()) });
  try {
    const id = await givenExposed(services, {
      metrics: `  slow:
    unit: request
    business: customer effort
    source:
      every: 10s
      warmUp: 3s
      prometheus:
        url: ${prometheus.url}
        events: '${EVENTS}'
        harms: '${HARMS}'
`,
      guardrails: '{ metric: slow, limit: 0.5, reason: as before }',
    });
    const since = new Date();
    await services.db.sql.updateTable('exposure').set({ from_at: since }).execute();
    const look = async () => {
      await readSources(services, sourceCredentials({}));
      const counts = services.db.sql
        .selectFrom('day_count')
        .select(['day', 'events', 'harms'])
        .where('rollout_id', '=', id)
        .where('segment', '=', 'gold')
        .where('arm', '=', 'candidate');
      return counts.execute();
    };
    call(20, 20);
    await prometheus.scraped();
    await sleep(3_000 + SURELY_IN_MS);
    exporter.up = false;
    call(30, 4);
    await sleep(500);
    services.clock.moveTo(new Date());
    expect(await look()).toEqual([]);
    exporter.up = true;
    await prometheus.scraped();
    services.clock.advance(11_000);
    const [day, ...more] = await look();
    expect(more).toEqual([]);
    expect(day?.day).toBe(0);
    expectCounts({ counts: day }, 34, 4);
  } finally {
    await services.close();
  }
});

describe('source test', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'portcullis-source-'));
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  const AGENT = (events: string, harms: string) => `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
tools: { cancel: { kind: write } }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold" }]
metrics:
  slow: { unit: request, business: customer effort, source: { prometheus: { url: '${prometheus.url}', events: '${events}', harms: '${harms}' } } }
`;
  const run = async (events: string, harms: string) => {
    await writeFile(join(cwd, 'agent.yaml'), AGENT(events, harms));
    const args = ['agent.yaml', '--release', release, '--segment', 'gold', '--window', '60s'];
    return runInTest(['source', 'test', ...args], { cwd });
  };

  test('shows what it sent, and what of the answer would count', async () => {
    await counted(() => call(30, 6));
    const { code, flat } = await run(EVENTS, HARMS);
    expect(code).toBe(0);
    const [, harms, events] = /(\d+) harms among (\d+) events would count/.exec(flat) ?? [];
    expectCounts({ counts: { events: Number(events), harms: Number(harms) } }, 36, 6);
    expect(flat.replaceAll(' ', '')).toContain(
      `sum(increase(calls_total{job="desk",release="${release}",segment="gold"}[60s]))`,
    );
  });

  test('says why nothing would: of a refused query, and of what is no count', async () => {
    await counted(() => call(3));
    for (const [events, why] of [
      [`${EVENTS} +`, 'parse error'],
      [`${EVENTS} * 0 / 0`, 'it says NaN events, which is no count'],
    ] as const) {
      const { code, flat } = await run(events, HARMS);
      expect(code).toBe(1);
      expect(flat).toMatch(new RegExp(`nothing would count: .*${why}`));
    }
  });
});
