import { parseExactJson } from '../domain/exact-json.ts';

/** Of its JSON; what the service takes at most (1 MiB) holds more than the result. */
const RESULT_BYTES_MAX = 1_000_000;
const WORDS_MAX = 300;

/** Stands where a result would be that cannot be recorded: the note says why. */
export interface OmittedResult {
  omitted: string;
}

/** Cut as UTF-8 has it: a note is recorded itself. */
export const omitted = (why: string): OmittedResult => ({
  omitted: Buffer.from(why.slice(0, WORDS_MAX)).toString(),
});

/** What is recorded of whatever a tool returned: itself, if it is exact JSON of a size that is kept, else a note. */
export function recordable(result: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify({ result });
  } catch (error) {
    return omitted(`the result has no JSON form: ${wordsOf(error)}`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > RESULT_BYTES_MAX)
    return omitted(
      `the result is ${bytes} bytes of JSON, more than the ${RESULT_BYTES_MAX} that are recorded`,
    );
  const exact = parseExactJson(text);
  if (!exact.ok) return omitted(`the result is not exact JSON at ${exact.path}: ${exact.message}`);
  // Read back: what JSON leaves out (functions, undefined) is left out once, here.
  return (exact.value as { result?: unknown }).result;
}

/** A BigInt, a circle, a getter or `toJSON` that throws, nesting without an end. */
const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
