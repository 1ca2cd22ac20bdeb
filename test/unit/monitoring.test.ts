import { readFileSync } from 'node:fs';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createMetrics } from '../../src/api/metrics.ts';
import { OLDEST_WORK, STORE_GAUGES } from '../../src/api/store-gauges.ts';
import { ManualClock } from '../../src/clock.ts';
import type { Services } from '../../src/services.ts';
import { namesIn } from '../support/promql.ts';

const read = (file: string): string => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const { registry } = createMetrics({
  db: {},
  clock: new ManualClock(),
  log: pino({ level: 'silent' }),
} as unknown as Services);

/** Every series that /metrics may serve, with its labels. */
const SERIES = new Map(
  registry.getMetricsAsArray().flatMap((metric) => {
    const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: string[] };
    const one: [string, string[]] = [name, labelNames];
    const buckets: [string, string[]][] = [
      [`${name}_bucket`, [...labelNames, 'le']],
      [`${name}_sum`, labelNames],
      [`${name}_count`, labelNames],
    ];
    return String(metric.type) === 'histogram' ? buckets : [one];
  }),
);
/** What Prometheus adds to each. */
const ADDED = ['instance', 'job'];
const VALUES: Record<string, readonly string[]> = {
  loop: Object.keys(OLDEST_WORK),
  ...Object.fromEntries(
    STORE_GAUGES.flatMap(({ label, values }) => (label && values ? [[label, values]] : [])),
  ),
};

const durationSchema = z.string().regex(/^\d+[smhd]$/);
const rulesSchema = z.object({
  groups: z
    .array(
      z.strictObject({
        name: z.string(),
        rules: z
          .array(
            z.strictObject({
              alert: z.string().regex(/^Portcullis[A-Z]\w+$/),
              expr: z.string(),
              for: durationSchema.optional(),
              labels: z.strictObject({ severity: z.enum(['page', 'ticket', 'info']) }),
              annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});
const dashboardSchema = z.object({
  title: z.string(),
  uid: z.string(),
  schemaVersion: z.number(),
  panels: z
    .array(
      z.object({
        id: z.number(),
        type: z.string(),
        title: z.string(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number().max(24), h: z.number() }),
        datasource: z.object({ type: z.literal('prometheus'), uid: z.string().startsWith('$') }),
        targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
      }),
    )
    .min(1),
});

/** What is wrong with an expression, by what is served. */
function problemsOf(expression: string): string[] {
  return namesIn(expression).flatMap(({ metric, labels, values }) => {
    const known = SERIES.get(metric);
    if (!known) return [`there is no ${metric}`];
    const strange = labels.filter((label) => !known.includes(label) && !ADDED.includes(label));
    const unknown = Object.entries(values).flatMap(([label, given]) =>
      given
        .filter((value) => VALUES[label] && !VALUES[label].includes(value))
        .map((value) => `${label} is never ${value}`),
    );
    return [...strange.map((label) => `${metric} has no label ${label}`), ...unknown];
  });
}

const rules = () =>
  rulesSchema.parse(parse(read('monitoring/alerts.yaml'))).groups.flatMap((group) => group.rules);
const panels = () => dashboardSchema.parse(JSON.parse(read('monitoring/dashboard.json'))).panels;

describe('what watches the service', () => {
  test('every alert asks for what is served', () => {
    const wrong = rules().flatMap(({ alert, expr }) =>
      problemsOf(expr).map((problem) => `${alert}: ${problem}`),
    );
    expect(wrong).toEqual([]);
    expect(new Set(rules().map(({ alert }) => alert)).size).toBe(rules().length);
  });

  test('every panel asks for what is served, and its legend for labels that are left', () => {
    const wrong = panels().flatMap(({ title, targets }) =>
      targets.flatMap(({ expr, legendFormat }) => {
        const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
        const kept = namesIn(expr).flatMap(({ labels }) => labels);
        const lost = legend.filter((label) => !kept.includes(label) && !ADDED.includes(label));
        return [...problemsOf(expr), ...lost.map((label) => `its legend has no ${label}`)].map(
          (one) => `${title}: ${one}`,
        );
      }),
    );
    expect(wrong).toEqual([]);
    expect(new Set(panels().map(({ id }) => id)).size).toBe(panels().length);
  });

  test('every loop has an alert, and every figure of the store is on the dashboard', () => {
    const watched = rules().flatMap(({ expr }) => namesIn(expr).flatMap(({ values }) => values.loop ?? []));
    expect(Object.keys(OLDEST_WORK).filter((loop) => !watched.includes(loop))).toEqual([]);
    const shown = panels().flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => namesIn(expr).map(({ metric }) => metric)),
    );
    expect(
      STORE_GAUGES.filter(({ name }) => !shown.includes(`portcullis_${name}`)).map(({ name }) => name),
    ).toEqual([]);
  });

  test('every alert leads to what it means and what to do', () => {
    const anchors = [...read('operations.md').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const lost = rules().filter(
      ({ annotations: { runbook } }) => !anchors.includes(runbook.replace('docs/operations.md#', '')),
    );
    expect(lost.map(({ alert }) => alert)).toEqual([]);
  });

  test.each([
    ['portcullis_no_such > 1', 'there is no portcullis_no_such'],
    ['max by (lop) (portcullis_oldest_work_age_seconds)', 'has no label lop'],
    ['portcullis_oldest_work_age_seconds{lop="judge"} > 1', 'has no label lop'],
    ['portcullis_oldest_work_age_seconds{loop=~"judge|jugde"} > 1', 'loop is never jugde'],
    ['rate(portcullis_http_request_seconds[5m])', 'there is no portcullis_http_request_seconds'],
    ['portcullis_epoch / portcullis_wrong', 'there is no portcullis_wrong'],
  ])('%s is refused', (expression, problem) => {
    expect(problemsOf(expression).join('; ')).toContain(problem);
  });

  test.each(['max(portcullis_epoch', 'portcullis_epoch{a=b}', '1 > 0'])(
    '%s is no expression',
    (expression) => {
      expect(() => namesIn(expression)).toThrow();
    },
  );
});
