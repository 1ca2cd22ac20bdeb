import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test as plain } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { BUILD_WAIT_MS } from '../../support/prometheus/binary.ts';
import { Desk, EVENTS, HARMS, LABELS, SURELY_IN_MS } from '../../support/prometheus/desk.ts';
import { TestExporter } from '../../support/prometheus/exporter.ts';
import { startPrometheus, type TestPrometheus } from '../../support/prometheus/server.ts';
import { createTestServices } from '../../support/services.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';
import { givenExposed } from './support.ts';

/** What `increase` adds for the ends of a window that no sample lies on. */
const EXTRAPOLATED = 1.5;

/** Each series of the one side fits several of the other. */
const AMBIGUOUS = 'calls_total{ok="true"} * on (segment) calls_total';

/** As many tests run at once: they mostly wait to be scraped. */
const AT_ONCE = 5;
let prometheus: TestPrometheus;
let exporters: TestExporter[];
const free: TestExporter[] = [];
beforeAll(async () => {
  exporters = await Promise.all(Array.from({ length: AT_ONCE }, () => TestExporter.start()));
  free.push(...exporters);
  prometheus = await startPrometheus(exporters.map(({ address }) => address));
}, BUILD_WAIT_MS);
afterAll(async () => {
  await prometheus?.stop();
  await Promise.all((exporters ?? []).map((exporter) => exporter.stop()));
});

let releases = 0;

const test = plain.extend<{ desk: Desk }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of what it needs from the pattern.
  desk: async ({}, use) => {
    releases += 1;
    const exporter = free.pop() ?? expect.fail('more tests at once than exporters');
    const desk = new Desk(prometheus, exporter, `r${releases}`);
    await desk.open();
    await use(desk);
    free.push(exporter);
  },
});

/** Never less than there was, and no more than the ends of the window can add. */
function expectCounts(answer: unknown, events: number, harms: number): void {
  const { counts } = answer as { counts: { events: number; harms: number } };
  expect(counts.events).toBeGreaterThanOrEqual(events);
  expect(counts.events).toBeLessThanOrEqual(Math.ceil(events * EXTRAPOLATED));
  expect(counts.harms).toBeGreaterThanOrEqual(harms);
  expect(counts.harms).toBeLessThanOrEqual(Math.ceil(harms * EXTRAPOLATED));
}

describe.concurrent('a counter of a real Prometheus', () => {
  test('is counted whole, also where the process that exports it began anew', async ({ desk }) => {
    const { answer, from, to } = await desk.counted(async () => {
      desk.call(30, 5);
      await prometheus.scraped();
      desk.exporter.restart();
      await prometheus.scraped();
      desk.call(12, 3);
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
    desk.call(500, 500);
    await prometheus.scraped();
    expect(await desk.ask(EVENTS, HARMS, { from, to })).toEqual(answer);
  });

  test('of which nothing is harm has none, and not none that is known', async ({ desk }) => {
    const { answer } = await desk.counted(() => desk.call(40));
    expectCounts(answer, 40, 0);
  });

  test('that is exported no more is known of as long as its samples lie in the window, and then of no such events', async ({
    desk,
  }) => {
    const { answer, from } = await desk.counted(() => desk.call(20, 2));
    expectCounts(answer, 20, 2);
    desk.exporter.drop('calls_total');
    await prometheus.scraped();
    expectCounts(await desk.ask(EVENTS, HARMS, { from }), 20, 2);
    const { answer: after } = await desk.counted(() => {});
    expect(after).toMatchObject({ none: true });
    // As it stands it is stale at once, and not for five minutes more.
    expect(await prometheus.query(`calls_total{job="desk",release="${desk.release}"}`)).toEqual([]);
  });

  test('of a process that does not answer says what was known of it, and of a time without samples nothing', async ({
    desk,
  }) => {
    const { from } = await desk.counted(() => desk.call(20, 2));
    desk.exporter.up = false;
    desk.call(100, 100);
    await sleep(SURELY_IN_MS);
    expectCounts(await desk.ask(EVENTS, HARMS, { from }), 20, 2);
    const hourAgo = new Date(Date.now() - 3_600_000);
    const before = { from: new Date(hourAgo.getTime() - 60_000), to: hourAgo };
    expect(await desk.ask(EVENTS, HARMS, before)).toMatchObject({ none: true });
  });
});

describe.concurrent('a histogram of a real Prometheus', () => {
  const BOUNDS = [1, 2.5, 10];
  const observe = (desk: Desk, value: number, times: number) => {
    for (let n = 0; n < times; n++) desk.exporter.observe('call_seconds', desk.labels(), value, BOUNDS);
  };
  const NATIVE = `sum(increase(call_seconds{job="native",release="{release}",segment="{segment}"}[{window}]))`;

  test.for([
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
  ])('says how many values lie above a bound: %s', async ([, events, harms], { desk }) => {
    observe(desk, 1, 1);
    desk.exporter.restart();
    await prometheus.scraped();
    const work = async () => {
      observe(desk, 0.4, 20);
      observe(desk, 2.5, 5);
      await prometheus.scraped();
      desk.exporter.restart();
      await prometheus.scraped();
      observe(desk, 3, 9);
      observe(desk, 60, 6);
    };
    const { answer } = await desk.counted(work, events, harms);
    expectCounts(answer, 40, 15);
  });
});

describe.concurrent('what is no count', () => {
  test.for<[string, string, string, string | RegExp]>([
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
  ])('%s is told', async ([, events, harms, why], { desk }) => {
    await expect(desk.ask(events, harms, { from: new Date(Date.now() - 5_000) })).rejects.toThrow(why);
  });

  test('a metric of the release that nobody met yet is no failure', async ({ desk }) => {
    const unmet = new Desk(prometheus, desk.exporter, 'unmet');
    expect(await unmet.ask(EVENTS, HARMS, { from: new Date(Date.now() - 5_000) })).toMatchObject({
      none: true,
    });
  });
});

test.concurrent('a rollout counts nothing of the warm-up, and what was scraped late for the day that it is of', async ({
  desk: { exporter },
}) => {
  const desk = new Desk(prometheus, exporter, '2');
  await desk.open();
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
    desk.call(20, 20);
    await prometheus.scraped();
    await sleep(3_000 + SURELY_IN_MS);
    desk.exporter.up = false;
    desk.call(30, 4);
    await sleep(500);
    services.clock.moveTo(new Date());
    expect(await look()).toEqual([]);
    desk.exporter.up = true;
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

describe.concurrent('source test', () => {
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
  const run = async (desk: Desk, events: string, harms: string) => {
    const file = `${desk.release}.yaml`;
    await writeFile(join(cwd, file), AGENT(events, harms));
    const args = [file, '--release', desk.release, '--segment', 'gold', '--window', '60s'];
    return runInTest(['source', 'test', ...args], { cwd });
  };

  test('shows what it sent, and what of the answer would count', async ({ desk }) => {
    await desk.counted(() => desk.call(30, 6));
    const { code, flat } = await run(desk, EVENTS, HARMS);
    expect(code).toBe(0);
    const [, harms, events] = /(\d+) harms among (\d+) events would count/.exec(flat) ?? [];
    expectCounts({ counts: { events: Number(events), harms: Number(harms) } }, 36, 6);
    expect(flat.replaceAll(' ', '')).toContain(
      `sum(increase(calls_total{job="desk",release="${desk.release}",segment="gold"}[60s]))`,
    );
  });

  test('says why nothing would: of a refused query, and of what is no count', async ({ desk }) => {
    await desk.counted(() => desk.call(3));
    for (const [events, why] of [
      [`${EVENTS} +`, 'parse error'],
      [`${EVENTS} * 0 / 0`, 'it says NaN events, which is no count'],
    ] as const) {
      const { code, flat } = await run(desk, events, HARMS);
      expect(code).toBe(1);
      expect(flat).toMatch(new RegExp(`nothing would count: .*${why}`));
    }
  });
});
