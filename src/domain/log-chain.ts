import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The hash before the first entry: 32 zero bytes. */
export const GENESIS = '00'.repeat(32);

/** hash(n) = SHA-256(hash(n-1) ‖ SHA-256(body)), hex. */
export function chainHash(before: string, body: string): string {
  const inner = createHash('sha256').update(body, 'utf8').digest();
  return createHash('sha256').update(Buffer.from(before, 'hex')).update(inner).digest('hex');
}

export type ChainFault = { seq: number; fault: 'missing' | 'hash' | 'form' };

/**
 * Checks a stretch of the log that follows entry `after`: numbers without a gap, RFC 8785 form, chained hashes.
 * Returns the first fault, or `undefined` with the last hash.
 */
export function checkChain(
  records: readonly { seq: number; hash: string; body: string }[],
  after: { seq: number; hash: string } = { seq: 0, hash: GENESIS },
): { fault?: ChainFault; seq: number; hash: string } {
  let { seq, hash } = after;
  for (const record of records) {
    if (record.seq !== seq + 1) return { fault: { seq: seq + 1, fault: 'missing' }, seq, hash };
    if (!isCanonical(record.body)) return { fault: { seq: record.seq, fault: 'form' }, seq, hash };
    const expected = chainHash(hash, record.body);
    if (expected !== record.hash) return { fault: { seq: record.seq, fault: 'hash' }, seq, hash };
    seq = record.seq;
    hash = expected;
  }
  return { seq, hash };
}

function isCanonical(body: string): boolean {
  try {
    return canonicalize(JSON.parse(body)) === body;
  } catch {
    return false;
  }
}
