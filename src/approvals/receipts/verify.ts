import { compactVerify, errors, importJWK } from 'jose';
import { z } from 'zod';
import { RECEIPT_TYPE, type ReceiptClaims, receiptClaimsSchema, shownDigest } from './claims.ts';

/** A receipt that proves what it says. */
export interface VerifiedReceipt {
  claims: ReceiptClaims;
  /** The key that signed it. */
  kid: string;
  /** What the person was shown; absent once erased: then only its digest is proved. */
  text?: string;
}

/** A public key as `/.well-known/receipt-keys.json` serves it. */
export interface ReceiptKey {
  kid: string;
  x: string;
}

/** What is wrong with a receipt, in words that go on from "receipt 2 ". */
export class InvalidReceipt extends Error {}

const ALGORITHM = 'EdDSA';

/** Nothing else may stand in the header: no key of its own, nothing critical, no other algorithm. */
const headerSchema = z.strictObject({
  alg: z.literal(ALGORITHM),
  kid: z.string(),
  typ: z.literal(RECEIPT_TYPE),
});
const fileSchema = z.strictObject({
  receipts: z
    .array(
      z.strictObject({
        jws: z.string(),
        shown: z.strictObject({ text: z.string(), salt: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
      }),
    )
    .min(1),
});
const keySchema = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string(),
  x: z.string().regex(/^[\w-]{43}$/),
});

/** The Ed25519 keys of a JWKS document; others are left out. */
export function receiptKeys(jwks: unknown): ReceiptKey[] {
  const parsed = z.object({ keys: z.array(z.unknown()) }).safeParse(jwks);
  if (!parsed.success) return [];
  return parsed.data.keys.flatMap((key) => {
    const one = keySchema.safeParse(key);
    return one.success ? [{ kid: one.data.kid, x: one.data.x }] : [];
  });
}

/**
 * Checks a file of receipts by the public keys alone: signature, type, claims, and that each text is the one that was
 * shown. All of them must be about one action, the one whose id begins with `action`, and none may stand there twice.
 * @throws InvalidReceipt naming which one and what is wrong with it
 */
export async function verifyReceipts(
  file: unknown,
  keys: readonly ReceiptKey[],
  action?: string,
): Promise<VerifiedReceipt[]> {
  const parsed = fileSchema.safeParse(file);
  if (!parsed.success) throw new InvalidReceipt('the file holds no receipts as the service gives them out');
  const verified: VerifiedReceipt[] = [];
  for (const [at, receipt] of parsed.data.receipts.entries()) {
    try {
      const one = await verifyOne(receipt, keys);
      assertAbout(one.claims, action ?? verified[0]?.claims.action);
      if (verified.some(({ claims }) => isSameAnswer(claims, one.claims)))
        throw new InvalidReceipt('stands there twice: it is one decision');
      verified.push(one);
    } catch (error) {
      if (error instanceof InvalidReceipt) throw new InvalidReceipt(`receipt ${at + 1} ${error.message}`);
      throw error;
    }
  }
  return verified;
}

async function verifyOne(
  { jws, shown }: z.infer<typeof fileSchema>['receipts'][number],
  keys: readonly ReceiptKey[],
): Promise<VerifiedReceipt> {
  const kid = kidOf(jws);
  const key = keys.find((one) => one.kid === kid);
  if (!key) throw new InvalidReceipt(`is signed by key "${kid}", which is not one of the keys given`);
  const claims = receiptClaimsSchema.safeParse(parsed(await payloadOf(jws, key)));
  if (!claims.success) {
    const [issue] = claims.error.issues;
    throw new InvalidReceipt(
      `is signed, but says something else: ${issue?.path.join('.')} ${issue?.message}`,
    );
  }
  if (!shown) return { claims: claims.data, kid };
  const digest = shownDigest(Buffer.from(shown.salt, 'hex'), shown.text);
  if (digest !== claims.data.shown.digest)
    throw new InvalidReceipt('was signed for another text or salt: what is written here was not shown');
  return { claims: claims.data, kid, text: shown.text };
}

/** The key's id, if the form is exactly ours. Base64 that decodes to the same bytes but is spelled otherwise is not. */
function kidOf(jws: string): string {
  const parts = jws.split('.');
  const isExact = (part: string) => Buffer.from(part, 'base64url').toString('base64url') === part;
  if (parts.length !== 3 || !parts.every(isExact)) throw new InvalidReceipt('is not a compact JWS');
  const header = headerSchema.safeParse(parsed(Buffer.from(parts[0] ?? '', 'base64url').toString()));
  if (!header.success)
    throw new InvalidReceipt(
      `is not signed as a receipt is: its header must say ${ALGORITHM} and ${RECEIPT_TYPE}, and nothing else`,
    );
  return header.data.kid;
}

async function payloadOf(jws: string, { x }: ReceiptKey): Promise<string> {
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, ALGORITHM);
  try {
    const { payload } = await compactVerify(jws, key, { algorithms: [ALGORITHM] });
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError)
      throw new InvalidReceipt('was changed: its signature does not match');
    throw error;
  }
}

function assertAbout({ action }: ReceiptClaims, expected: string | undefined): void {
  if (expected !== undefined && !action.startsWith(expected))
    throw new InvalidReceipt(`is about action ${action}, not about ${expected}`);
}

/** Who approved may deny or break the glass afterwards: those are decisions of their own. */
const isSameAnswer = (one: ReceiptClaims, other: ReceiptClaims): boolean =>
  one.round === other.round &&
  one.person === other.person &&
  one.verdict === other.verdict &&
  one.breakGlass === other.breakGlass;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
