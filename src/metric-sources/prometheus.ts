import { z } from 'zod';
import { filledIn, type MetricSource, type SourceWords } from '../domain/metric-source.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Asked } from './asked.ts';
import type { SourceCredentials } from './credentials.ts';
import { getJson } from './json.ts';

type Prometheus = NonNullable<MetricSource['prometheus']>;

const WHAT = 'Prometheus';
const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
  ]),
});

/** Two instant queries at the end of the window (prometheus.io/docs/prometheus/latest/querying/api). Without a series there are none. */
export async function askPrometheus(
  { url, events, harms, credential }: Prometheus,
  words: SourceWords,
  credentials: SourceCredentials,
): Promise<Asked> {
  const sent = [events, harms].map((query) => filledIn(query, (word) => escaped(words[word])));
  const [counted, harmful] = await Promise.all(
    sent.map(async (query) => {
      const asked = new URL(`${url.replace(/\/+$/, '')}/api/v1/query`);
      asked.searchParams.set('query', query);
      asked.searchParams.set('time', words.to);
      return valueIn(await getJson(asked.href, WHAT, credential, credentials), query);
    }),
  );
  if (counted === undefined) return { sent, said: undefined };
  if (harmful === undefined)
    throw new SourceFailure(
      `${WHAT} has no series for ${sent[1]}: write "or vector(0)" behind it if no series means no harm`,
    );
  return { sent, said: { events: counted, harms: harmful } };
}

/** As it stands in a PromQL string. */
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');

function valueIn(json: unknown, query: string): number | undefined {
  const read = answerSchema.safeParse(json);
  if (!read.success)
    throw new SourceFailure(
      `${WHAT} answers ${query} with no number: write one that gives a vector or scalar`,
    );
  const { data } = read.data;
  if (data.resultType === 'scalar') return numberOf(data.result[1]);
  if (data.result.length > 1)
    throw new SourceFailure(`${WHAT} answers ${query} with ${data.result.length} series: sum them up`);
  const [only] = data.result;
  return only && numberOf(only.value[1]);
}

/** `+Inf` and `NaN` are what Prometheus calls them. */
const numberOf = (text: string): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text));
