import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { createAssertions } from './assertions.ts';
import { AUDIENCE, CredentialCheck, type Refusal, WRITE_SCOPES } from './credentials.ts';
import { customerOf } from './customers.ts';
import type { AirlineRecords } from './records.ts';

/** The airline's own count, kept without asking Portcullis. */
export interface DeskTally {
  reads: number;
  /** Writes done. */
  accepted: number;
  /** Writes with a good credential that the airline's own tool refused. */
  refusedByTool: number;
  /** Writes without a good credential, by why. */
  refusedCredential: Partial<Record<Refusal, number>>;
  /** The Portcullis actions of the accepted writes, in order. */
  actions: string[];
}

export interface DeskOptions {
  /** Where Portcullis publishes its keys. */
  jwksUrl: string;
  records: AirlineRecords;
  /** How long a write takes. Set by whoever runs it; nothing is known of the airline's own speed. */
  workMs: number;
}

interface ToolRequest {
  Params: { tool: string };
  Body: { conversation: string; call: number; args: Record<string, unknown> };
}

const STATUS_OF_REFUSAL = { credential_missing: 401, other: 403 } as const;

/** The airline: it does a write only for a valid credential made for exactly this write. */
export async function createDesk({ jwksUrl, records, workMs }: DeskOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: false });
  const tally: DeskTally = { reads: 0, accepted: 0, refusedByTool: 0, refusedCredential: {}, actions: [] };
  const credentials = new CredentialCheck(jwksUrl);
  const assertions = await createAssertions(() => app.listeningOrigin, AUDIENCE);

  app.post<ToolRequest>('/tools/:tool', async (request, reply) => {
    const { tool } = request.params;
    const { conversation, call, args } = request.body;
    if (!Object.hasOwn(WRITE_SCOPES, tool)) {
      tally.reads += 1;
      return { ok: true };
    }
    const checked = await credentials.check(request.headers.authorization, tool, args);
    if (!checked.ok) {
      const { refusal } = checked;
      tally.refusedCredential[refusal] = (tally.refusedCredential[refusal] ?? 0) + 1;
      const missing = refusal === 'credential_missing';
      return reply.code(STATUS_OF_REFUSAL[missing ? refusal : 'other']).send({ ok: false, code: refusal });
    }
    await sleep(workMs);
    if (records.refused.has(`${conversation}/${call}`)) {
      tally.refusedByTool += 1;
      return reply.code(409).send({ ok: false, code: 'refused_by_tool' });
    }
    tally.accepted += 1;
    tally.actions.push(checked.action);
    return { ok: true };
  });

  app.get('/conversations', async (_, reply) =>
    reply
      .type('text/plain')
      .send('The link names <episode>/<position of the call> in examples/airline/airline-episodes.jsonl\n'),
  );
  app.get('/tally', async () => tally);
  app.get('/.well-known/jwks.json', async () => assertions.jwks);
  app.post<{ Body: { user_id: string; conversation: string } }>('/assertions', async (request, reply) => {
    const { user_id: userId, conversation } = request.body;
    const tier = records.tiers.get(userId);
    if (tier === undefined) return reply.code(404).send({ code: 'unknown_customer' });
    return { assertion: await assertions.sign(customerOf(userId, tier), conversation) };
  });
  return app;
}
