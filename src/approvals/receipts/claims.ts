import { createHash } from 'node:crypto';
import { z } from 'zod';

export const RECEIPT_TYPE = 'portcullis-receipt+jws';

const hex256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 digest in hex');

/** What a receipt says of one decision. Signed as compact JWS (RFC 7515) with Ed25519. */
export const receiptClaimsSchema = z.strictObject({
  v: z.literal(1),
  iss: z.string(),
  action: z.uuid(),
  agent: z.string(),
  tool: z.string(),
  argsDigest: hex256,
  release: z.string().nullable(),
  segment: z.string().nullable(),
  phase: z.string().nullable(),
  epoch: z.int(),
  revision: z.int(),
  round: z.int(),
  verdict: z.enum(['approve', 'deny']),
  breakGlass: z.literal(true).optional(),
  standing: z
    .strictObject({ maxUses: z.int(), forMs: z.int() })
    .optional()
    .describe('How often and for how long the like of it was approved along with it'),
  person: z.string(),
  for: z.string().optional().describe("Whose right it was, where not the person's own"),
  via: z.string(),
  identity: z.string().describe('How the person was known'),
  at: z.iso.datetime(),
  shown: z
    .strictObject({ cardVersion: z.int().nullable(), digest: hex256 })
    .describe('What the person was shown: the version of the card and SHA-256(salt || text)'),
});

export type ReceiptClaims = z.infer<typeof receiptClaimsSchema>;

/** One receipt as it is given out: it stands alone. What was shown is absent once it is erased. */
export interface Receipt {
  jws: string;
  shown?: { text: string /** Hex. */; salt: string };
}

/** SHA-256(salt ‖ UTF-8 text), hex. */
export const shownDigest = (salt: Buffer, text: string): string =>
  createHash('sha256').update(salt).update(text, 'utf8').digest('hex');
