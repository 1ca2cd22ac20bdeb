import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Carrier, Delivery } from './carrier.ts';
import { type Fault, Faults, type RateLimit } from './faults.ts';
import { type Files, receiveFile } from './file-methods.ts';
import { Grants } from './grants.ts';
import { HttpDelivery, type HttpTarget, type PersonFailure } from './http-delivery.ts';
import { isJson } from './json.ts';
import { People } from './person.ts';
import { Reader } from './reader.ts';
import { answerResponseUrl } from './response-url.ts';
import { SCOPES } from './scopes.ts';
import { SocketMode } from './socket.ts';
import { type HttpAnswer, type Tokens, WebApi } from './web-api.ts';
import { World, type WorldSeed } from './world.ts';

/**
 * How a fake Slack starts. Without `rateLimit` posts are not limited; `port` 0 takes a free one. With `deliver` payloads
 * go there by HTTP, without it by Socket Mode. `withoutScopes` are those the app was not given.
 */
export type FakeSlackOptions = WorldSeed & {
  botToken?: string;
  appToken?: string;
  rateLimit?: RateLimit;
  deliver?: HttpTarget;
  withoutScopes?: readonly string[];
  port?: number;
};

/** A running fake Slack: the world it holds, what people do in it, and what a test reads from it. */
export type FakeSlack = AsyncDisposable &
  Pick<People, 'click' | 'select' | 'submit' | 'close' | 'command' | 'openHome' | 'event' | 'problems'> &
  ReturnType<Reader['methods']> & {
    /** The base of the Web API, for `slackApiUrl`; ends in `/api/`. */
    readonly url: string;
    readonly tokens: Tokens;
    readonly world: World;
    /** What was uploaded, by id. */
    readonly files: Files;
    readonly acks: Carrier['acks'];
    /** What people saw fail: by HTTP, interactions and commands that were not answered with 2xx in three seconds. */
    readonly failures: readonly PersonFailure[];
    /** Sends a payload again, with its id; an event by HTTP says that it is a retry. */
    redeliver(delivery: Delivery): Delivery;
    /** HTTP: takes the answers of the next `times` (1) requests as never come. */
    loseAnswers(times?: number): void;
    /** Lets the next `times` (1) calls of a method ('*': any, 'response_url': posts to one) go wrong. */
    fail(method: string, fault: Fault, times?: number): void;
    /** Forgets faults that were not used up. */
    clearFaults(): void;
    disconnect: SocketMode['disconnect'];
    /** Cuts all Socket Mode connections without a word. */
    drop(): void;
    stop(): Promise<void>;
  };

/** Starts a fake Slack on a local port. */
export async function startFakeSlack(options: FakeSlackOptions = {}): Promise<FakeSlack> {
  const tokens = { bot: options.botToken ?? 'xoxb-fake', app: options.appToken ?? 'xapp-fake' };
  const world = new World(options);
  const [faults, grants, socket] = [
    new Faults(world, options.rateLimit),
    new Grants(world),
    new SocketMode(world),
  ];
  let host = '';
  const openConnection = () => `ws://${host}/link/?ticket=${socket.issueTicket()}`;
  const missing = new Set(options.withoutScopes);
  const scopes = new Set(SCOPES.filter((scope) => !missing.has(scope)));
  const files: Files = new Map();
  const uploadUrl = (id: string) => `http://${host}/upload/${id}`;
  const api = new WebApi(world, faults, tokens, scopes, { grants, openConnection, files, uploadUrl });
  const http = options.deliver ? new HttpDelivery(world, options.deliver) : undefined;
  const people = new People(world, grants, http ?? socket, (path) => `http://${host}/${path}`);
  const reader = new Reader(world, api, socket);

  const server = createServer((request, response) => {
    route(request, { api, faults, world, grants, files }).then(
      (answer) => answer && send(response, answer),
      (error) => send(response, { status: 500, body: { ok: false, error: `fake Slack broke: ${error}` } }),
    );
  });
  server.on('upgrade', (request, connection, head) => socket.upgrade(request, connection, head));
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const stop = async () => {
    if (!server.listening) return;
    await socket.stop();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return assemble({
    url: `http://${host}/api/`,
    tokens,
    world,
    files,
    faults,
    socket,
    http,
    people,
    reader,
    stop,
  });
}

type Parts = Pick<FakeSlack, 'url' | 'tokens' | 'world' | 'files' | 'stop'> & {
  faults: Faults;
  socket: SocketMode;
  http: HttpDelivery | undefined;
  people: People;
  reader: Reader;
};

function assemble({
  url,
  tokens,
  world,
  files,
  faults,
  socket,
  http,
  people,
  reader,
  stop,
}: Parts): FakeSlack {
  const carrier = http ?? socket;
  return {
    url,
    tokens,
    world,
    files,
    stop,
    [Symbol.asyncDispose]: stop,
    problems: people.problems,
    acks: carrier.acks,
    failures: http?.failures ?? [],
    click: (...args) => people.click(...args),
    select: (...args) => people.select(...args),
    submit: (...args) => people.submit(...args),
    close: (...args) => people.close(...args),
    command: (...args) => people.command(...args),
    openHome: (...args) => people.openHome(...args),
    event: (...args) => people.event(...args),
    redeliver: (delivery) => carrier.deliver(delivery.type, delivery.payload, delivery),
    loseAnswers: (times = 1) => http?.loseAnswers(times),
    fail: (method, fault, times = 1) => faults.plan(method, fault, times),
    clearFaults: () => faults.clear(),
    disconnect: (...args) => socket.disconnect(...args),
    drop: () => socket.drop(),
    ...reader.methods(),
  };
}

type RouteDeps = { api: WebApi; faults: Faults; world: World; grants: Grants; files: Files };

async function route(request: IncomingMessage, deps: RouteDeps): Promise<HttpAnswer | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const body = bytes.toString('utf8');
  const path = new URL(request.url ?? '/', 'http://fake').pathname.slice(1);
  if (path.startsWith('upload/'))
    return { status: receiveFile(deps.files, path.slice('upload/'.length), bytes), body: {} };
  const { authorization = '', 'content-type': contentType = '' } = request.headers;
  if (path.startsWith('api/')) return deps.api.answer(path.slice(4), { authorization, contentType, body });
  if (!path.startsWith('actions/')) return { status: 404, body: { ok: false, error: 'not_found' } };
  const fault = deps.faults.take('response_url');
  if (fault?.kind === 'hang') return undefined;
  if (fault?.kind === 'http') return { status: fault.status, body: { ok: false } };
  const json: unknown = JSON.parse(body);
  return answerResponseUrl(deps.world, deps.grants, path, isJson(json) ? json : {});
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}
