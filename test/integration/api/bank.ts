import type { FastifyInstance } from 'fastify';
import type { Role } from '../../../src/actor.ts';
import { createApi } from '../../../src/api/server.ts';
import { type Answer, askBody, call } from '../../support/api.ts';
import { type GivenToken, givenToken } from '../../support/fixtures.ts';
import type { MakeServices, TestServices } from '../../support/services.ts';
import { givenBank } from '../approvals/support.ts';

export const IBAN = 'DE89-3704-0044';
export const PAY = { amount: 5, to: 'Mia', iban: IBAN };

type Person = 'ana' | 'ben' | 'cleo' | 'dan' | 'eve' | 'olga';

/** The API over the bank of the approvals, with a token for everybody. `stranger`: another agent's, with every role. */
export interface BankApi {
  app: FastifyInstance;
  services: TestServices;
  as: Readonly<Record<Person | 'agent' | 'oncall' | 'auditor' | 'stranger', GivenToken>>;
  /** Asks for a payment; `more` replaces parts of the question. */
  ask(more?: Record<string, unknown>): Promise<Answer>;
  /** Answers what is waiting as it is now. */
  decide(id: string, as: GivenToken, more?: Record<string, unknown>): Promise<Answer>;
  /** Changes the arguments of what is waiting as it is now. */
  edit(id: string, as: GivenToken, args: unknown, more?: Record<string, unknown>): Promise<Answer>;
  get(path: string, as?: GivenToken): Promise<Answer>;
  post(path: string, as: GivenToken, body: unknown): Promise<Answer>;
}

/** Opens it; `approval` is the YAML of what the grant for `pay` asks. */
export async function openBank(make: MakeServices, approval = 'desk', more = ''): Promise<BankApi> {
  const services = await make();
  await givenBank(services, approval, more);
  const app = await createApi(services);
  const person = (name: string, ...roles: Role[]) => givenToken(services, roles, { person: name });
  const as: BankApi['as'] = {
    agent: await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } }),
    ana: await person('ana', 'approver'),
    ben: await person('ben', 'approver'),
    cleo: await person('cleo', 'approver'),
    dan: await person('dan', 'approver'),
    eve: await person('eve', 'approver'),
    olga: await person('olga', 'approver', 'release-manager'),
    oncall: await person('cleo', 'on-call'),
    auditor: await person('finn', 'auditor'),
    stranger: await givenToken(services, ['approver', 'release-manager', 'on-call', 'auditor'], {
      person: 'ana',
      agent: 'other',
    }),
  };
  const get = (path: string, who = as.ana) => call(app, `GET ${path}`, { as: who });
  const post = (path: string, who: GivenToken, body: unknown) => call(app, `POST ${path}`, { as: who, body });
  const seen = async (id: string) => {
    const { argsDigest, revision } = (await get(`/v1/actions/${id}`)).json;
    return { digest: argsDigest, revision };
  };
  return {
    app,
    services,
    as,
    get,
    post,
    ask: (parts = {}) => post('/v1/actions', as.agent, askBody({ tool: 'pay', args: PAY, ...parts })),
    decide: async (id, who, parts = {}) =>
      post(`/v1/actions/${id}/decisions`, who, { verdict: 'approve', ...(await seen(id)), ...parts }),
    edit: async (id, who, args, parts = {}) =>
      post(`/v1/actions/${id}/edits`, who, { args, ...(await seen(id)), ...parts }),
  };
}
