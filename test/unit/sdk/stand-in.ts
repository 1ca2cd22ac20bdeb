import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

export interface Answer {
  status?: number;
  body: Record<string, unknown>;
  /** Closes the connection instead. */
  drop?: boolean;
  /** Sent as it is, instead of the body. */
  text?: string;
}

export type Answers = (seen: Seen, times: number) => Answer | Promise<Answer>;

/** A stand-in for the service that answers as the test says and keeps what it was sent. */
export async function startStandIn(answers: Answers) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const one = { method: request.method ?? '', path: request.url ?? '', body: await bodyOf(request) };
    seen.push(one);
    const times = seen.filter(({ method, path }) => method === one.method && path === one.path).length;
    const { status = 200, body, drop, text } = await answers(one, times);
    if (drop) return void request.socket.destroy();
    if (text !== undefined) return void response.writeHead(status, { 'content-type': 'text/html' }).end(text);
    const problem = 'code' in body;
    response.writeHead(status, { 'content-type': problem ? 'application/problem+json' : 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    paths: () => seen.map(({ method, path }) => `${method} ${path}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const WRITE = {
  id: 'a-1',
  url: 'http://page',
  tool: 'cancel',
  kind: 'write',
  arm: 'control',
  reasons: [],
  revision: 1,
  repeated: false,
};

export const pending = { ...WRITE, state: 'pending', outcome: 'pending' };
export const approved = { ...WRITE, state: 'approved', outcome: 'allowed' };
export const ended = (state: string, more: Record<string, unknown> = {}) => ({
  ...WRITE,
  state,
  outcome: 'denied',
  ...more,
});

/** Begun now: 5 s to start, by both clocks, unless said otherwise. */
export function begun({ allowedMs = 5_000, agoMs = 0 } = {}) {
  const beganAt = new Date(Date.now() - agoMs);
  const startBy = new Date(beganAt.getTime() + allowedMs).toISOString();
  return {
    ...WRITE,
    state: 'executing',
    outcome: 'allowed',
    startBy,
    execution: { executionId: 'e', beganAt: beganAt.toISOString(), startBy },
    credential: { token: 'jwt', jti: 'j', scopes: ['s'], audience: 'desk', expiresAt: startBy },
  };
}
