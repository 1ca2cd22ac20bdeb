import { type ChainFault, checkChain } from '../domain/log-chain.ts';
import type { ApiClient } from './client.ts';
import { CliError } from './failure.ts';
import type { LogRecord, WireSeal } from './wire.ts';

export const PAGE = 1_000;

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
  /** After which entry it begins. */
  from: LogHead & { seal?: WireSeal };
}

/** What was found by recomputing hashes; `seq` and `hash` are worth keeping. */
export interface LogVerdict extends LogHead {
  verified: boolean;
  /** After which entry it began. */
  from: LogHead;
  /** What was before was dropped, after this was signed. */
  seal?: WireSeal;
  /** Committed and not numbered yet. */
  tail: number;
  fault?: ChainFault | { seq: number; fault: 'cut-off' | 'rewritten' | 'signature' | 'seal' | 'dropped' };
  /** The head as the service signed it. */
  checkpoint: string;
}

/** A head kept from before: to compare the log with, or to begin at. */
export interface Kept {
  head: LogHead;
  use: 'against' | 'since';
}

type Fault = NonNullable<LogVerdict['fault']>;

/**
 * Recomputes the chain from where the log begins, or from a head kept from before, to the signed head, and compares it
 * with what was kept. Nothing is taken on the service's word.
 */
export async function verifyWholeLog(
  api: ApiClient,
  kept: Kept | undefined,
  onPage: (seq: number) => void,
): Promise<LogVerdict> {
  const checkpoint = await readCheckpoint(api);
  const { from: begin, tail, signed } = checkpoint;
  const from = kept?.use === 'since' ? kept.head : { seq: begin.seq, hash: begin.hash };
  const verdict = ({ fault, ...reached }: LogHead & { fault?: Fault | undefined }): LogVerdict => ({
    verified: !fault,
    ...reached,
    from,
    ...(begin.seal && { seal: begin.seal }),
    tail,
    checkpoint: signed,
    ...(fault && { fault }),
  });
  if (begin.seal && !(await isSigned(api, begin, begin.seal.signed)))
    return verdict({ ...begin, fault: { seq: begin.seq, fault: 'seal' } });
  if (kept && kept.head.seq < begin.seq)
    return verdict({ ...from, fault: { seq: kept.head.seq, fault: 'dropped' } });
  const lost = kept?.use === 'since' ? await lostHead(api, kept.head, begin) : undefined;
  if (lost) return verdict({ ...from, fault: lost });
  const found = await walk(api, from, [kept?.head, checkpoint], onPage);
  // Sealed and dropped while this walked over it: it begins elsewhere now.
  if (found.fault?.fault === 'dropped') return verifyWholeLog(api, kept, onPage);
  if (!found.fault && !(await isSigned(api, checkpoint, signed)))
    return verdict({ ...found, fault: { seq: checkpoint.seq, fault: 'signature' } });
  return verdict(found);
}

/** The head of the log as the service signs it, and where it begins. */
export const readCheckpoint = (api: ApiClient): Promise<Checkpoint> =>
  api.get<Checkpoint>('/v1/log/checkpoint');

/**
 * The entries after a place.
 * @throws CliError `not-allowed` where the token does not see all of them
 */
export async function entriesAfter(api: ApiClient, seq: number, limit = PAGE): Promise<LogRecord[]> {
  const { entries, agent } = await api.get<LogPage>('/v1/log', { after: seq, limit });
  if (agent !== undefined) throw partOnly(agent);
  return entries;
}

/** Whether the entry that everything after is chained to is no longer as it was kept. */
async function lostHead(api: ApiClient, { seq, hash }: LogHead, begin: LogHead): Promise<Fault | undefined> {
  const [now] = seq === begin.seq ? [begin] : await entriesAfter(api, seq - 1, 1);
  if (now?.seq !== seq) return { seq, fault: 'cut-off' };
  return now.hash === hash ? undefined : { seq, fault: 'rewritten' };
}

async function walk(
  api: ApiClient,
  from: LogHead,
  heads: readonly (LogHead | undefined)[],
  onPage: (seq: number) => void,
): Promise<LogHead & { fault?: Fault | undefined }> {
  const marks = heads.filter((mark) => mark !== undefined);
  let place = from;
  for (let last = false; !last; ) {
    const entries = await entriesAfter(api, place.seq);
    const { fault, ...reached } = checkChain(entries, place);
    if (fault?.fault === 'missing') {
      const { from: begin } = await readCheckpoint(api);
      if (begin.seq > place.seq) return { ...reached, fault: { seq: place.seq, fault: 'dropped' } };
    }
    if (fault) return { ...reached, fault };
    const rewritten = marks.find(
      ({ seq, hash }) => hashAt(seq, place, entries) !== undefined && hashAt(seq, place, entries) !== hash,
    );
    if (rewritten) return { ...reached, fault: { seq: rewritten.seq, fault: 'rewritten' } };
    place = reached;
    last = entries.length < PAGE;
    onPage(place.seq);
  }
  const beyond = marks.find(({ seq }) => seq > place.seq);
  return beyond ? { ...place, fault: { seq: place.seq + 1, fault: 'cut-off' } } : place;
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

async function isSigned(api: ApiClient, { seq, hash }: LogHead, signed: string): Promise<boolean> {
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
