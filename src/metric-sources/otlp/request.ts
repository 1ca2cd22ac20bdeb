import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { z } from 'zod';
import { digestOf } from '../../domain/digest.ts';
import type { OtlpPoint } from '../../domain/otlp.ts';

/**
 * OTLP/HTTP: what exporters send as protobuf or JSON (opentelemetry.io/docs/specs/otlp). Both are read by one schema: decoded
 * protobuf looks as its JSON does.
 */
const DELTA = 1;
const CUMULATIVE = 2;
const NO_RECORDED_VALUE = 1;

/** As many data points may one request hold, of whatever metrics. */
const POINTS_MAX = 50_000;

const is64Bit = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 64;

/** 64-bit integers are text in JSON; some exporters write numbers, and lose less than a microsecond by it. */
const long = z
  .union([z.string().regex(/^-?\d{1,20}$/), z.number().refine(is64Bit)])
  .transform(BigInt)
  .default(0n);
const temporality = z.union([
  z.int(),
  z.enum(['AGGREGATION_TEMPORALITY_DELTA']).transform(() => DELTA),
  z.enum(['AGGREGATION_TEMPORALITY_CUMULATIVE']).transform(() => CUMULATIVE),
]);
const attributes = z
  .array(
    z.object({
      key: z.string(),
      value: z
        .object({
          stringValue: z.string().optional(),
          boolValue: z.boolean().optional(),
          intValue: z.union([z.string(), z.number()]).optional(),
          doubleValue: z.number().optional(),
        })
        .default({}),
    }),
  )
  .default([]);
const point = {
  attributes,
  startTimeUnixNano: long,
  timeUnixNano: long,
  flags: z.int().default(0),
};
/** JSON has no NaN: protobuf's mapping writes it as text. */
const double = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number), z.nan()]);
const numberPoint = z.object({ ...point, asDouble: double.optional(), asInt: long.optional() });
const histogramPoint = z.object({
  ...point,
  count: long,
  bucketCounts: z.array(long).default([]),
  explicitBounds: z.array(double).default([]),
});
const metricSchema = z.object({
  name: z.string(),
  sum: z
    .object({
      dataPoints: z.array(numberPoint).default([]),
      aggregationTemporality: temporality.default(0),
      isMonotonic: z.boolean().default(false),
    })
    .optional(),
  histogram: z
    .object({
      dataPoints: z.array(histogramPoint).default([]),
      aggregationTemporality: temporality.default(0),
    })
    .optional(),
});
const requestSchema = z.object({
  resourceMetrics: z
    .array(
      z.object({
        resource: z.object({ attributes }).default({ attributes: [] }),
        scopeMetrics: z
          .array(
            z.object({
              scope: z.object({ name: z.string().default('') }).default({ name: '' }),
              metrics: z.array(metricSchema).default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

type Metric = z.infer<typeof metricSchema>;
type Attributes = Readonly<Record<string, string>>;

/** What one exporter sent: its resource, the digest that tells it from others, and its metrics by their scopes. */
export interface OtlpExport {
  exporter: string;
  resource: Attributes;
  metrics: readonly { scope: string; metric: Metric }[];
}

/** What is in a request, in its order; or why it is none. */
export function readOtlp(body: unknown): { exports: OtlpExport[] } | { problem: string } {
  const read = requestSchema.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { problem: `${issue?.path.join('.') || 'the body'}: ${issue?.message}` };
  }
  const exports = read.data.resourceMetrics.map(({ resource, scopeMetrics }): OtlpExport => {
    const attributes = recordOf(resource.attributes);
    return {
      exporter: digestOf(sorted(attributes)),
      resource: attributes,
      metrics: scopeMetrics.flatMap(({ scope, metrics }) =>
        metrics.map((metric) => ({ scope: scope.name, metric })),
      ),
    };
  });
  const points = exports
    .flatMap(({ metrics }) => metrics)
    .reduce(
      (all, { metric: { sum, histogram } }) =>
        all + (sum?.dataPoints.length ?? 0) + (histogram?.dataPoints.length ?? 0),
      0,
    );
  return points > POINTS_MAX
    ? { problem: `it holds ${points} data points: send at most ${POINTS_MAX}` }
    : { exports };
}

/** The points of the instruments that somebody named. */
export const pointsOf = (
  { metrics, ...source }: OtlpExport,
  isNamed: (instrument: string) => boolean,
): OtlpPoint[] =>
  metrics.flatMap(({ scope, metric }) => (isNamed(metric.name) ? pointsIn(metric, scope, source) : []));

type Source = Pick<OtlpPoint, 'resource' | 'exporter'>;

function pointsIn({ name, sum, histogram }: Metric, scope: string, source: Source): OtlpPoint[] {
  const common = (
    one: z.infer<typeof numberPoint> | z.infer<typeof histogramPoint>,
    aggregated: number,
  ): Omit<OtlpPoint, 'value'> => {
    const own = recordOf(one.attributes);
    return {
      name,
      series: digestOf([name, scope, source.exporter, sorted(own)]),
      attributes: own,
      ...source,
      temporality: aggregated === DELTA ? 'delta' : aggregated === CUMULATIVE ? 'cumulative' : 'none',
      start: one.startTimeUnixNano,
      time: one.timeUnixNano,
    };
  };
  if (sum)
    return sum.dataPoints.filter(isRecorded).map((one) => ({
      ...common(one, sum.aggregationTemporality),
      value: sum.isMonotonic
        ? { kind: 'counter', total: one.asDouble ?? Number(one.asInt ?? 0n) }
        : { kind: 'other', what: 'a sum that may fall' },
    }));
  if (histogram)
    return histogram.dataPoints.filter(isRecorded).map((one) => ({
      ...common(one, histogram.aggregationTemporality),
      value: {
        kind: 'histogram',
        count: Number(one.count),
        bounds: one.explicitBounds,
        buckets: one.bucketCounts.map(Number),
      },
    }));
  return [
    {
      name,
      series: digestOf([name, scope]),
      attributes: {},
      ...source,
      temporality: 'none',
      start: 0n,
      time: 0n,
      value: { kind: 'other', what: 'neither a counter nor a histogram with explicit bounds' },
    },
  ];
}

const isRecorded = ({ flags }: { flags: number }): boolean => (flags & NO_RECORDED_VALUE) === 0;

const recordOf = (list: z.infer<typeof attributes>): Attributes =>
  Object.fromEntries(
    list.map(({ key, value }) => [
      key,
      String(value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? ''),
    ]),
  );

const sorted = (record: Attributes): [string, string][] =>
  Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));

let loaded: protobuf.Root | undefined;
/** Read when the first one comes: most services are sent none. */
const typeOf = (name: string): protobuf.Type => {
  loaded ??= protobuf.loadSync(fileURLToPath(new URL('./metrics.proto', import.meta.url)));
  return loaded.lookupType(`otlp.${name}`);
};

/** A request in protobuf as its JSON; or why it is none. */
export function decodeOtlp(bytes: Buffer): { body: unknown } | { problem: string } {
  const type = typeOf('ExportMetricsServiceRequest');
  try {
    return { body: type.toObject(type.decode(bytes), { longs: String, enums: Number }) };
  } catch (error) {
    return {
      problem: `it is no protobuf of metrics: ${error instanceof Error ? error.message : 'unreadable'}`,
    };
  }
}

/** The answer to a request in protobuf. */
export function encodeAnswer(rejected: number, errorMessage: string): Buffer {
  const type = typeOf('ExportMetricsServiceResponse');
  const message = rejected === 0 ? {} : { partialSuccess: { rejectedDataPoints: rejected, errorMessage } };
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}
