import type { Connection } from './connection.ts';
import { CliError, exitOf } from './failure.ts';

const TIMEOUT_MS = 30_000;
/** The longest there is: who follows a stream sees by itself when it falls silent. */
const ENDLESS_MS = 2 ** 31 - 1;

export interface Request {
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  json?: unknown;
  yaml?: string;
  timeoutMs?: number;
  /** Without the token. */
  anonymous?: boolean;
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
}

export interface Answer<T> {
  status: number;
  body: T;
}

/** The service did not answer in time: for reads nothing happened, for the rest it is not known. */
export class NoAnswer extends CliError {}

interface ProblemDocument {
  detail?: string;
  title?: string;
  code?: string;
  hint?: string;
  instance?: string;
  details?: Record<string, unknown>;
}

/** The HTTP API; every failure becomes a `CliError` with what, why and how to mend it. */
export class ApiClient {
  /** `patienceMs`: how long an answer may take where a request says nothing else. */
  constructor(
    readonly connection: Connection,
    readonly patienceMs = TIMEOUT_MS,
  ) {}

  get = async <T>(path: string, query?: Request['query'], more: Request = {}): Promise<T> =>
    (await this.request<T>('GET', path, { query, ...more })).body;

  post = async <T>(path: string, json: unknown): Promise<T> =>
    (await this.request<T>('POST', path, { json })).body;

  /** Any JSON answer with its status; a problem document throws. */
  async request<T>(method: string, path: string, request: Request = {}): Promise<Answer<T>> {
    return this.#read(method, await this.#send(method, path, request));
  }

  /** A stream of server-sent events, until the signal or the service ends it; a problem document throws. */
  async follow(path: string, request: Request): Promise<AsyncIterable<Uint8Array>> {
    const headers = { accept: 'text/event-stream', ...request.headers };
    const response = await this.#send('GET', path, { ...request, headers, timeoutMs: ENDLESS_MS });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    if (isStream && response.body) return response.body;
    await this.#read('GET', response);
    throw this.#strange(response);
  }

  async #read<T>(method: string, response: Response): Promise<Answer<T>> {
    const text = await response.text().catch((error: unknown) => {
      throw this.#unanswered(method, error);
    });
    const type = response.headers.get('content-type') ?? '';
    const body = /\bjson\b/.test(type) ? parsed(text) : undefined;
    if (type.startsWith('application/problem+json'))
      throw this.#problem(response.status, body as ProblemDocument);
    if (body === undefined) throw this.#strange(response);
    return { status: response.status, body: body as T };
  }

  async #send(method: string, path: string, request: Request): Promise<Response> {
    const { token } = this.connection;
    const url = this.#urlOf(path, request.query);
    const limit = AbortSignal.timeout(request.timeoutMs ?? this.patienceMs);
    try {
      return await fetch(url, {
        method,
        headers: {
          'x-portcullis-client': 'cli',
          ...request.headers,
          ...(token && !request.anonymous ? { authorization: `Bearer ${token}` } : {}),
          ...(request.yaml !== undefined ? { 'content-type': 'application/yaml' } : {}),
          ...(request.json !== undefined ? { 'content-type': 'application/json' } : {}),
        },
        body: request.yaml ?? (request.json === undefined ? undefined : JSON.stringify(request.json)),
        signal: request.signal ? AbortSignal.any([limit, request.signal]) : limit,
        redirect: 'error',
      });
    } catch (error) {
      throw this.#unanswered(method, error);
    }
  }

  #urlOf(path: string, query: Request['query']): URL {
    let url: URL;
    try {
      url = new URL(this.connection.url + path);
    } catch {
      const hint = 'Write it as http://127.0.0.1:8080';
      throw new CliError('usage', `"${this.connection.url}" is not an address`, { hint });
    }
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  #strange({ status }: Response): CliError {
    const message = `${this.connection.url} answered ${status}, but not as Portcullis does`;
    return new CliError('unreachable', message, {
      hint: 'Check PORTCULLIS_URL, and what stands between you and it',
    });
  }

  #unanswered(method: string, error: unknown): CliError {
    const code = codeOf(error);
    const { url } = this.connection;
    const start = 'Start it with `portcullis up`, or set PORTCULLIS_URL';
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH' || code === 'EAI_AGAIN') {
      return new NoAnswer('unreachable', `Portcullis does not answer at ${url} (${code})`, {
        hint: start,
        cause: error,
      });
    }
    const unknown =
      method === 'GET' ? '' : ' It is not known whether it was done: look before you repeat it.';
    return new NoAnswer('unreachable', `Portcullis did not answer at ${url} (${code}).${unknown}`, {
      hint: 'portcullis doctor says what is wrong',
      cause: error,
    });
  }

  #problem(status: number, problem: ProblemDocument): CliError {
    const { code, detail, title, instance, details } = problem;
    return new CliError(exitOf(code, status), detail ?? title ?? `It was refused (${status})`, {
      hint: code === 'unauthenticated' ? this.#tokenHint() : problem.hint,
      code,
      instance: status >= 500 ? instance : undefined,
      details,
    });
  }

  #tokenHint(): string {
    const { tokenFrom, tokenFile } = this.connection;
    if (tokenFrom === 'file') {
      return `The token of ${tokenFile} is old: start portcullis up again, or set PORTCULLIS_TOKEN`;
    }
    if (tokenFrom === 'nowhere') {
      return `No token was sent: set PORTCULLIS_TOKEN, or run it where ${tokenFile} is (an embedded portcullis up writes it)`;
    }
    return `The token of ${tokenFrom === 'option' ? '--token' : 'PORTCULLIS_TOKEN'} is not accepted: ask an admin for one (portcullis token create)`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost code that says what happened to a connection. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (error.cause instanceof Error) return codeOf(error.cause);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
