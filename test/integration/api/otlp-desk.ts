/** What is counted of OpenTelemetry in these tests, and requests made by hand. */
export const METRICS = `  slow:
    unit: request
    business: customer effort
    matureAfter: 0s
    source: { otlp: { events: call.seconds, above: 2.5 } }
  failed:
    unit: request
    business: workload
    matureAfter: 0s
    source: { otlp: { events: calls, harms: failures } }
`;
export const GUARDRAILS =
  '{ metric: slow, limit: 0.05, reason: p95 of 2.5 s }, { metric: failed, limit: 0.05, reason: as before }';
export const PATH = '/v1/otlp/v1/metrics';

/** A point of a counter, cumulative. */
export const point = (more: object = {}) => ({
  attributes: [
    { key: 'portcullis.release', value: { stringValue: '2' } },
    { key: 'portcullis.segment', value: { stringValue: 'gold' } },
  ],
  startTimeUnixNano: `${Date.now() - 60_000}000000`,
  timeUnixNano: `${Date.now()}000000`,
  asInt: '8',
  ...more,
});
/** A request with these points of one counter. */
export const request = (dataPoints: object[], name = 'calls') => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        { metrics: [{ name, sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } }] },
      ],
    },
  ],
});

/** One field of a protobuf message, with its length. */
export function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let left = bytes.length; left > 0 || length.length === 0; left = Math.floor(left / 128))
    length.push((left % 128) | (left >= 128 ? 128 : 0));
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
