import { z } from 'zod';
import { outwardUrlSchema } from './address.ts';
import { durationMs } from './duration.ts';
import { durationBetween } from './schema/duration.ts';

const credentialSchema = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,40}$/, 'write capital letters, digits and _')
  .describe(
    'The name of a secret: PORTCULLIS_SOURCE_<name> holds it, or PORTCULLIS_SOURCE_<name>_FILE names its file',
  );

const prometheusSchema = z.strictObject({
  url: outwardUrlSchema.describe('The server, e.g. http://prometheus:9090'),
  events: z.string().min(1).describe('PromQL: how many events there were in {window}'),
  harms: z.string().min(1).describe('PromQL: how many of them were harm'),
  credential: credentialSchema.optional().describe('A bearer token'),
});

const sqlSchema = z.strictObject({
  database: credentialSchema.describe('The name of a secret that is the address of a Postgres'),
  query: z.string().min(1).describe('One row with events and harms, from {from} to before {to}'),
});

const httpSchema = z.strictObject({
  url: outwardUrlSchema.describe('Answers with JSON; {release} and the like stand in its query'),
  events: z.string().startsWith('/').default('/events').describe('JSON pointer to the number of events'),
  harms: z.string().startsWith('/').default('/harms').describe('JSON pointer to the number of harmful ones'),
  credential: credentialSchema.optional().describe('A bearer token'),
});

const instrument = z.string().min(1).max(255);
const otlpSchema = z
  .strictObject({
    events: instrument.describe('The counter or histogram that counts the events'),
    harms: instrument.optional().describe('The counter that counts harm among them'),
    above: z
      .number()
      .optional()
      .describe('Of a histogram instead of "harms": a value above it is harm; one of its bounds'),
    release: z
      .string()
      .min(1)
      .default('portcullis.release')
      .describe('The attribute that says the release, of the point or its resource'),
    segment: z.string().min(1).default('portcullis.segment').describe('The attribute that says the segment'),
  })
  .refine(({ harms, above }) => (harms === undefined) !== (above === undefined), {
    message: 'says one of harms (a counter) and above (of the histogram)',
  })
  .refine(({ events, harms }) => events !== harms, {
    path: ['harms'],
    message: 'is the instrument of the events: every event would be harm',
  });

/** Counts that are sent to the service by OpenTelemetry's protocol. */
export type OtlpSource = z.infer<typeof otlpSchema>;

const approvalSchema = z.union([
  z
    .literal('hasty')
    .describe('Approvals, harm those within three seconds of being shown: nobody reads so fast'),
  z.strictObject({
    load: z
      .int()
      .min(1)
      .max(10_000)
      .describe('People who answered in a day, harm those with more answers than this'),
  }),
]);

/** How people answer what an arm asks, counted by this service itself. */
export type ApprovalSource = z.infer<typeof approvalSchema>;

/** Where the events of a metric are counted, when nobody reports them as outcomes. */
export const metricSourceSchema = z
  .strictObject({
    prometheus: prometheusSchema.optional().describe('Asked with two queries'),
    sql: sqlSchema.optional().describe('Asked with one statement that may only read'),
    http: httpSchema.optional().describe('Asked for JSON'),
    otlp: otlpSchema
      .optional()
      .describe('Sent to /v1/otlp by an OpenTelemetry exporter, with a token of the agent'),
    approvals: approvalSchema
      .optional()
      .describe(
        'How people answer the questions of the candidate: blind approvals, or the load on approvers',
      ),
    every: durationBetween('10s', '1d').default('1m').describe('How often it is read'),
    delay: durationBetween('0s', '1d').default('0s').describe('How late its figures are complete'),
    warmUp: durationBetween('0s', '7d')
      .default('0s')
      .describe('What happens so soon after a segment is exposed does not count'),
    staleAfter: durationBetween('30s', '30d')
      .default('10m')
      .describe('Unread for so long it is source-down: nothing widens on it'),
  })
  .refine(
    ({ prometheus, sql, http, otlp, approvals }) =>
      [prometheus, sql, http, otlp, approvals].filter(Boolean).length === 1,
    { message: 'says one of prometheus, sql, http, otlp and approvals' },
  )
  .refine(({ every, staleAfter }) => durationMs(staleAfter) > durationMs(every), {
    path: ['staleAfter'],
    message: 'is not longer than "every": it would be source-down in between',
  });

export type MetricSource = z.infer<typeof metricSourceSchema>;

/** What stands in a query: `{release}` and the like. */
export const SOURCE_WORDS = ['release', 'segment', 'arm', 'window', 'from', 'to'] as const;
export type SourceWord = (typeof SOURCE_WORDS)[number];
export type SourceWords = Readonly<Record<SourceWord, string>>;

const WORD = /\{(release|segment|arm|window|from|to)\}/g;

/** A query with its words filled in, each as `write` writes it. */
export const filledIn = (query: string, write: (word: SourceWord) => string): string =>
  query.replace(WORD, (_, word: SourceWord) => write(word));

/** Whether a query asks for this word. */
export const asksFor = (query: string, word: SourceWord): boolean => query.includes(`{${word}}`);

/** Every text of a source that is sent. */
export const queriesOf = ({ prometheus, sql, http }: MetricSource): string[] =>
  [prometheus?.events, prometheus?.harms, sql?.query, http?.url].filter((text) => text !== undefined);

/** What a source said of one window: how many events there were, and how many of them were harm. */
export interface SourceCounts {
  events: number;
  harms: number;
}

const EVENTS_MAX = 1_000_000_000;
/** What is left of a whole number when a rate was multiplied out. */
const DUST = 1e-6;

/**
 * Whole events and harms of what a source said, rounded so that less speaks against the release; or why it is none of
 * both. An extrapolated figure (PromQL's `increase`) is no whole number.
 */
export function countsOf(said: { events: unknown; harms: unknown }): SourceCounts | { problem: string } {
  const [events, harms] = [said.events, said.harms].map(numberOf);
  for (const [name, value, given] of [
    ['events', events, said.events],
    ['harms', harms, said.harms],
  ] as const)
    if (value === undefined || !(value >= 0) || value > EVENTS_MAX)
      return { problem: `it says ${shown(given)} ${name}, which is no count` };
  const counts = {
    events: Math.ceil((events as number) - DUST),
    harms: Math.floor((harms as number) + DUST),
  };
  if (counts.harms > counts.events)
    return { problem: `it says ${shown(said.harms)} harms among ${shown(said.events)} events` };
  return counts;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && value.trim() !== '') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

const shown = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : (JSON.stringify(value) ?? 'no').slice(0, 60);
