import type { FastifyInstance } from 'fastify';
import type { Role } from '../../src/actor.ts';
import { type ApiOptions, createApi } from '../../src/api/server.ts';
import { type GivenToken, givenAdopted, givenToken } from './fixtures.ts';
import type { MakeServices, TestServices } from './services.ts';

/** The API on a store of its own, with a token for everyone. */
export interface TestApi {
  app: FastifyInstance;
  services: TestServices;
  /** Tokens of the usual people: ana and ben approve, olga manages, cleo is on call. */
  as: Readonly<Record<'agent' | 'ana' | 'ben' | 'olga' | 'cleo' | 'auditor' | 'admin', GivenToken>>;
}

export interface CallOptions {
  as?: Pick<GivenToken, 'headers'>;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What came back; `json` is empty for anything but JSON. */
export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers freely
  json: any;
}

/** Opens the API with agent `desk` and its first release in force. */
export async function givenApi(make: MakeServices, options: ApiOptions = {}): Promise<TestApi> {
  const services = await make();
  await givenAdopted(services);
  const app = await createApi(services, options);
  const person = (roles: Role | Role[], name: string) => givenToken(services, roles, { person: name });
  return {
    app,
    services,
    as: {
      agent: await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } }),
      ana: await person('approver', 'ana'),
      ben: await person('approver', 'ben'),
      olga: await person(['release-manager', 'approver'], 'olga'),
      cleo: await person('on-call', 'cleo'),
      auditor: await givenToken(services, 'auditor'),
      admin: await givenToken(services, 'admin'),
    },
  };
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One request without a port. A string body is sent as it is; anything else as JSON. */
export async function call(
  app: FastifyInstance,
  line: `${Method} ${string}`,
  options: CallOptions = {},
): Promise<Answer> {
  const [method, url] = line.split(' ') as [Method, string];
  const { as, headers, body } = options;
  const json = body !== undefined && typeof body !== 'string';
  const response = await app.inject({
    method,
    url,
    headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...as?.headers, ...headers },
    ...(body === undefined ? {} : { payload: json ? JSON.stringify(body) : body }),
  });
  const isJson = String(response.headers['content-type']).includes('json');
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    json: isJson ? JSON.parse(response.body) : {},
  };
}

/** What an agent would send to ask. */
export const askBody = ({
  idempotencyKey = Math.random().toString(36).slice(2),
  ...more
}: Record<string, unknown> = {}): Record<string, unknown> => ({
  agentVersion: '1.0.0',
  tool: 'cancel',
  args: { id: 'R-1' },
  // Each question is about somebody else: what is denied of one says nothing of the next.
  subject: `guest of ${idempotencyKey}`,
  reason: 'The guest asked for it',
  idempotencyKey,
  ...more,
});
