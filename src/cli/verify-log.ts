import { type ChainFault, checkChain, GENESIS } from '../domain/log-chain.ts';
import type { ApiClient } from './client.ts';
import { CliError } from './failure.ts';
import type { LogRecord } from './wire.ts';

const PAGE = 1_000;

export interface LogHead {
  seq: number;
  hash: string;
}

interface LogPage {
  entries: LogRecord[];
  /** Set: only what is about this agent is shown. */
  agent?: string;
}

interface Checkpoint extends LogHead {
  tail: number;
  signed: string;
}

/** What was found by recomputing every hash; `seq` and `hash` are worth keeping. */
export interface LogVerdict extends LogHead {
  verified: boolean;
  /** Committed and not numbered yet. */
  tail: number;
  fault?: ChainFault | { seq: number; fault: 'cut-off' | 'rewritten' | 'signature' };
  /** The head as the service signed it. */
  checkpoint: string;
}

/**
 * Recomputes the chain from the first entry to the signed head, and compares it with a head kept from before. Nothing
 * is taken on the service's word.
 */
export async function verifyWholeLog(
  api: ApiClient,
  kept: LogHead | undefined,
  onPage: (seq: number) => void,
): Promise<LogVerdict> {
  const checkpoint = await api.get<Checkpoint>('/v1/log/checkpoint');
  const verdict = (reached: LogHead, fault?: LogVerdict['fault']): LogVerdict => {
    return {
      verified: !fault,
      ...reached,
      tail: checkpoint.tail,
      checkpoint: checkpoint.signed,
      ...(fault && { fault }),
    };
  };
  const marks = [kept, checkpoint].filter((mark) => mark !== undefined);
  let place: LogHead = { seq: 0, hash: GENESIS };
  for (let last = false; !last; ) {
    const { entries, agent } = await api.get<LogPage>('/v1/log', { after: place.seq, limit: PAGE });
    if (agent !== undefined) throw partOnly(agent);
    const { fault, ...reached } = checkChain(entries, place);
    if (fault) return verdict(reached, fault);
    const rewritten = marks.find(
      ({ seq, hash }) => hashAt(seq, place, entries) !== undefined && hashAt(seq, place, entries) !== hash,
    );
    if (rewritten) return verdict(reached, { seq: rewritten.seq, fault: 'rewritten' });
    place = reached;
    last = entries.length < PAGE;
    onPage(place.seq);
  }
  const beyond = marks.find(({ seq }) => seq > place.seq);
  if (beyond) return verdict(place, { seq: place.seq + 1, fault: 'cut-off' });
  if (!(await isSigned(api, checkpoint))) return verdict(place, { seq: checkpoint.seq, fault: 'signature' });
  return verdict(place);
}

function hashAt(seq: number, before: LogHead, entries: readonly LogRecord[]): string | undefined {
  if (seq === before.seq) return before.hash;
  return entries[seq - before.seq - 1]?.hash;
}

/** A token of one agent sees that agent's entries alone: gaps there say nothing. */
const partOnly = (agent: string): CliError =>
  new CliError('not-allowed', `Cannot verify: this token sees the entries about agent ${agent} alone`, {
    hint: 'Use an auditor token for all agents (portcullis token create --role auditor)',
  });

async function isSigned(api: ApiClient, { seq, hash, signed }: Checkpoint): Promise<boolean> {
  const { createLocalJWKSet, jwtVerify } = await import('jose');
  const keys = await api.get<Parameters<typeof createLocalJWKSet>[0]>('/.well-known/receipt-keys.json');
  try {
    const { payload } = await jwtVerify(signed, createLocalJWKSet(keys), {
      typ: 'portcullis-checkpoint+jwt',
    });
    return payload.seq === seq && payload.hash === hash;
  } catch {
    return false;
  }
}
