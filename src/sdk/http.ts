import { setTimeout as sleep } from 'node:timers/promises';
import { PortcullisError } from './errors.ts';

/** Longer than the service needs to restart. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 100;
const PAUSE_MAX_MS = 5_000;
const TIMEOUT_MS = 15_000;
/** Codes after which the same request is sent again; its key or executionId makes sure that nothing is done twice. */
const RETRIED = new Set([
  'store_down',
  'store_slow',
  'temporal_down',
  'rate_limited',
  'conflict',
  'internal',
  'unreachable',
]);

export interface HttpOptions {
  url: string;
  token: string;
  fetch?: typeof fetch;
  /** How long a call is sent again while the service is away; default: 20 s, over a restart. */
  patienceMs?: number;
}

export interface Request {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Default: the client's. */
  patienceMs?: number;
  /** Statuses besides 2xx whose body is an answer, not a problem. */
  answers?: readonly number[];
}

/** Sends requests that are safe to repeat, and repeats them while the service is away. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = { ...options, url: options.url.replace(/\/$/, '') };
  }

  /** @throws PortcullisError when the service refuses, or is away for longer than `patienceMs` */
  async send<T>(request: Request): Promise<T> {
    const body = bodyOf(request.body);
    const { patienceMs = this.#options.patienceMs ?? PATIENCE_MS } = request;
    const startedMs = performance.now();
    for (let tried = 1; ; tried++) {
      try {
        return await this.#once<T>(request, body);
      } catch (error) {
        request.signal?.throwIfAborted();
        if (!isTransient(error) || performance.now() - startedMs >= patienceMs) throw error;
        const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** (tried - 1));
        await sleep(pauseMs, undefined, { signal: request.signal }).catch(() => {});
        request.signal?.throwIfAborted();
      }
    }
  }

  /** Opens a stream of server-sent events; it lasts until the signal or the service ends it. @throws PortcullisError */
  async follow(
    path: string,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { url, token, fetch: send = fetch } = this.#options;
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const response = await send(`${url}${path}`, { headers, signal }).catch((cause: unknown) => {
      throw unreachable(url, cause);
    });
    if (!response.ok || !response.body) throw problemOf(response.status, await response.text());
    return response.body;
  }

  async #once<T>(
    { method, path, signal, timeoutMs = TIMEOUT_MS, answers = [] }: Request,
    body: string | undefined,
  ): Promise<T> {
    const { url, token, fetch: send = fetch } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await send(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch (cause) {
      throw unreachable(url, cause);
    }
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
    if ((response.ok || answers.includes(response.status)) && !isProblem)
      return answerOf(response.status, text);
    throw problemOf(response.status, text);
  }
}

/** The same request may be answered later. */
const isTransient = (error: unknown): boolean =>
  error instanceof PortcullisError &&
  (RETRIED.has(error.code) || error.status >= 500 || error.status === 429 || isUnreadable(error));

/** Something between here and the service answered in its place. */
const isUnreadable = ({ code, status }: PortcullisError): boolean =>
  code === 'unreadable_answer' && (status < 400 || status >= 500);

/** @throws PortcullisError `not_json`: what is to be sent is the caller's mistake and not the service's absence */
function bodyOf(body: unknown): string | undefined {
  try {
    return body === undefined ? undefined : JSON.stringify(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const hint = 'Send exact JSON: no BigInt, no circle; large numbers as text';
    throw new PortcullisError(
      {
        code: 'not_json',
        status: 0,
        detail: `Cannot send it to Portcullis: it has no JSON form (${why})`,
        hint,
      },
      { cause },
    );
  }
}

function answerOf<T>(status: number, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const detail = `Portcullis answered ${status} with what is not JSON`;
    throw new PortcullisError({ code: 'unreadable_answer', status, detail }, { cause });
  }
}

const unreachable = (url: string, cause: unknown): PortcullisError =>
  new PortcullisError(
    { code: 'unreachable', status: 0, detail: `Cannot reach Portcullis at ${url}` },
    { cause },
  );

/** The service understood and refuses: the same again would be refused too. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof PortcullisError && error.status >= 400 && error.status < 500 && error.status !== 429;

function problemOf(status: number, text: string): PortcullisError {
  try {
    const { code, detail, hint, details } = JSON.parse(text) as Record<string, unknown>;
    return new PortcullisError({
      code: typeof code === 'string' ? code : 'unreadable_answer',
      status,
      detail: typeof detail === 'string' ? detail : `Portcullis answered ${status}`,
      hint: typeof hint === 'string' ? hint : undefined,
      details: typeof details === 'object' && details !== null ? { ...details } : undefined,
    });
  } catch (cause) {
    const code = status === 503 || status === 502 ? 'unreachable' : 'unreadable_answer';
    return new PortcullisError({ code, status, detail: `Portcullis answered ${status}` }, { cause });
  }
}
