import { createHash } from 'node:crypto';

/** What the airline itself knows of a customer; agents cannot claim it. */
export interface Customer {
  tier: string;
  test_group: boolean;
  /** The reservation that its own system found cancellable by the desk's rules; the recording says it of none. */
  cancellable: string;
}

/**
 * The airline's published rule: a silver customer is in the test group when the first byte of SHA-256(user id) is
 * even. It looks at the id alone, so it cannot favour anybody.
 */
export const inTestGroup = (userId: string, tier: string): boolean =>
  tier === 'silver' && (createHash('sha256').update(userId).digest()[0] ?? 1) % 2 === 0;

export const customerOf = (userId: string, tier: string): Customer => ({
  tier,
  test_group: inTestGroup(userId, tier),
  cancellable: '',
});
