import { fetch, type Response } from 'undici';
import { isLinkLocal } from '../domain/address.ts';
import { outward } from './outward.ts';
import { SourceFailure } from './source-failure.ts';

export interface GetOptions {
  /** Named in failures, e.g. `PagerDuty`; the address is not: it may hold a secret. */
  what: string;
  headers?: Record<string, string>;
  redirectsMax?: number;
  /** Also over http: what is read there decides about nobody. */
  anyProtocol?: boolean;
}

export interface Got {
  status: number;
  headers: Response['headers'];
  text: string;
}

export const ANSWER_BYTES_MAX = 1_048_576;
const TIMEOUT_MS = 5_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Gets a text of at most 1 MiB within 5 s, redirects included. Only over https, or from this machine, unless said otherwise:
 * whoever can change what is read of people makes approvers.
 * @throws SourceFailure
 */
export async function getText(
  address: string,
  { what, headers, redirectsMax = 0, anyProtocol = false }: GetOptions,
): Promise<Got> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let url = safeUrl(address, undefined, what, anyProtocol);
  for (let redirects = 0; ; redirects++) {
    const answer = await fetch(url, { headers, redirect: 'manual', signal, dispatcher: outward }).catch(
      (error: unknown) => {
        throw unreached(what, signal, error);
      },
    );
    const location = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null;
    if (location === null) {
      return { status: answer.status, headers: answer.headers, text: await readText(answer, what, signal) };
    }
    await answer.body?.cancel();
    if (redirects >= redirectsMax) {
      const most = redirectsMax === 0 ? 'elsewhere' : `on more than ${redirectsMax} times`;
      throw new SourceFailure(`${what} sends ${most}: give its final address`);
    }
    url = safeUrl(location, url, what, anyProtocol);
  }
}

function safeUrl(address: string, base: URL | undefined, what: string, anyProtocol: boolean): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  const plain = url?.protocol === 'http:' && (anyProtocol || LOOPBACK.test(url.hostname));
  const safe = url?.protocol === 'https:' || plain;
  if (url && safe && !isLinkLocal(url.hostname)) return url;
  throw new SourceFailure(
    base
      ? `${what} sends to an address that is not https: give its final https address`
      : `${what} is not read over https: write its https address (webcal:// becomes https://)`,
  );
}

async function readText(answer: Response, what: string, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreached(what, signal, error);
  }
  if (bytes > ANSWER_BYTES_MAX) throw new SourceFailure(`${what} answers with more than 1 MiB`);
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function unreached(what: string, signal: AbortSignal, cause: unknown): SourceFailure {
  const why = signal.aborted
    ? `did not answer within ${TIMEOUT_MS / 1_000} s`
    : `cannot be reached${codeOf(cause)}`;
  return new SourceFailure(`${what} ${why}: check the network and its address`, undefined, { cause });
}

/** The code alone: the words of a failed fetch may name the address. */
function codeOf(error: unknown): string {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}
