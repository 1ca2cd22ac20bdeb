import { filledIn, type MetricSource, type SourceWords } from '../domain/metric-source.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Asked } from './asked.ts';
import type { SourceCredentials } from './credentials.ts';
import { getJson } from './json.ts';

/** One request whose answer says both figures; `null` for the events says that there are none. */
export async function askHttp(
  { url, events, harms, credential }: NonNullable<MetricSource['http']>,
  words: SourceWords,
  credentials: SourceCredentials,
): Promise<Asked> {
  const asked = filledIn(url, (word) => encodeURIComponent(words[word]));
  const what = `The source at ${new URL(asked).host}`;
  const json = await getJson(asked, what, credential, credentials);
  const counted = at(json, events);
  if (counted === undefined) throw new SourceFailure(`${what} says nothing at ${events}`);
  return { sent: [asked], said: counted === null ? undefined : { events: counted, harms: at(json, harms) } };
}

/** What a JSON pointer points to (RFC 6901). */
function at(json: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      json,
    );
}
