import { CHAT_METHODS, type Method } from './chat-methods.ts';
import { DIRECTORY_METHODS } from './directory-methods.ts';
import { type Fault, type Faults, RateLimited } from './faults.ts';
import { type Files, fileMethods } from './file-methods.ts';
import type { Grants } from './grants.ts';
import { isJson, type Json, SlackRefusal, str } from './json.ts';
import { requireScope } from './scopes.ts';
import { viewMethods } from './view-methods.ts';
import type { World } from './world.ts';

/** One call as it arrived and how it was answered; status 0 is an answer that never came. */
export type CallRecord = {
  method: string;
  args: Json;
  token: string;
  at: number;
  status: number;
  ok: boolean;
  error?: string;
};
/** What goes back over HTTP; `undefined` in place of it means that nobody answers. */
export type HttpAnswer = { status: number; headers?: Record<string, string>; body: Json };
/** The tokens that the workspace knows. */
export type Tokens = { bot: string; app: string };

const JSON_ARGS = ['blocks', 'attachments', 'view', 'metadata'];
const APP_TOKEN_METHOD = 'apps.connections.open';

/** The Web API: tokens, arguments, faults, then the method. */
export class WebApi {
  readonly calls: CallRecord[] = [];
  private readonly methods: Record<string, Method>;

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
    private readonly tokens: Tokens,
    private readonly scopes: ReadonlySet<string>,
    deps: { grants: Grants; openConnection: () => string; files: Files; uploadUrl: (id: string) => string },
  ) {
    const connect: Method = () => ({ url: deps.openConnection() });
    const views = viewMethods(deps.grants);
    const files = fileMethods(deps.files, deps.uploadUrl);
    this.methods = { ...CHAT_METHODS, ...views, ...files, ...DIRECTORY_METHODS, [APP_TOKEN_METHOD]: connect };
  }

  /** Answers one request to `/api/<method>`. */
  answer(
    method: string,
    request: { authorization: string; contentType: string; body: string },
  ): HttpAnswer | undefined {
    const args = parseArgs(request.contentType, request.body);
    const token = request.authorization.replace(/^Bearer /, '') || str(args.token);
    delete args.token;
    const call: CallRecord = { method, args, token, at: this.world.now(), status: 200, ok: true };
    this.calls.push(call);
    const fault = this.faults.take(method);
    const answer = fault && fault.kind !== 'hang-after' ? faulty(fault) : this.run(method, args, token);
    const lost = fault?.kind === 'hang-after';
    call.status = lost ? 0 : (answer?.status ?? 0);
    call.ok = answer?.body.ok === true;
    call.error = str(answer?.body.error) || undefined;
    this.world.changed();
    return lost ? undefined : answer;
  }

  private run(method: string, args: Json, token: string): HttpAnswer {
    try {
      const handler = this.methods[method];
      if (!handler) throw new SlackRefusal('unknown_method');
      this.checkToken(method, token);
      parseJsonArgs(args);
      requireScope(this.world, this.scopes, method, args);
      const { world, faults } = this;
      const takePost = (channelId: string) => faults.takePost(channelId);
      const done = handler(args, { world, takePost, takeUpdate: () => faults.takeUpdate() });
      return {
        status: 200,
        headers: { 'x-oauth-scopes': [...this.scopes].join() },
        body: { ok: true, ...done },
      };
    } catch (error) {
      if (error instanceof RateLimited) return rateLimited(error.retryAfter);
      if (error instanceof SlackRefusal) return { status: 200, body: refusal(error) };
      throw error;
    }
  }

  private checkToken(method: string, token: string): void {
    if (token === '') throw new SlackRefusal('not_authed');
    const right = method === APP_TOKEN_METHOD ? this.tokens.app : this.tokens.bot;
    if (token === right) return;
    const known = token === this.tokens.app || token === this.tokens.bot;
    throw new SlackRefusal(known ? 'not_allowed_token_type' : 'invalid_auth');
  }
}

/** A refusal in the form of Slack's answers. */
export function refusal({ code, messages }: SlackRefusal): Json {
  if (messages.length === 0) return { ok: false, error: code };
  const tagged = messages.map((message) => `[ERROR] ${message}`);
  return { ok: false, error: code, errors: [...messages], response_metadata: { messages: tagged } };
}

function faulty(fault: Exclude<Fault, { kind: 'hang-after' }>): HttpAnswer | undefined {
  if (fault.kind === 'hang') return undefined;
  if (fault.kind === 'rate-limited') return rateLimited(fault.retryAfter);
  if (fault.kind === 'error') return { status: 200, body: { ok: false, error: fault.error } };
  return { status: fault.status, body: { ok: false, error: 'internal_error' } };
}

function rateLimited(seconds: number): HttpAnswer {
  return {
    status: 429,
    headers: { 'retry-after': String(seconds) },
    body: { ok: false, error: 'ratelimited' },
  };
}

function parseArgs(contentType: string, body: string): Json {
  if (!contentType.includes('application/json')) return Object.fromEntries(new URLSearchParams(body));
  const parsed: unknown = body === '' ? {} : JSON.parse(body);
  return isJson(parsed) ? parsed : {};
}

function parseJsonArgs(args: Json): void {
  for (const key of JSON_ARGS) {
    const value = args[key];
    if (typeof value !== 'string') continue;
    try {
      args[key] = JSON.parse(value);
    } catch {
      throw new SlackRefusal(key === 'blocks' ? 'invalid_blocks_format' : 'invalid_arguments');
    }
  }
}
