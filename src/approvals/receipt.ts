import { createHash, randomBytes } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Countable } from '../actions/count.ts';
import type { Actor, Services } from '../context.ts';
import { canonical, SIGNING_ALGORITHM } from '../credentials/keys.ts';
import type { Sql } from '../db/database.ts';
import { shownText } from './shown.ts';

export const RECEIPT_TYPE = 'portcullis-receipt+jws';

/** What a receipt says of one decision. Signed as compact JWS (RFC 7515) with Ed25519. */
export interface ReceiptClaims {
  v: 1;
  iss: string;
  action: string;
  agent: string;
  tool: string;
  argsDigest: string;
  release: string | null;
  segment: string | null;
  phase: string | null;
  epoch: number;
  revision: number;
  round: number;
  verdict: 'approve' | 'deny';
  breakGlass?: true;
  person: string;
  /** Whose right it was, where not the person's own. */
  for?: string;
  via: string;
  /** How the person was known. */
  identity: string;
  at: string;
  /** What the person was shown: the version of the card and SHA-256(salt ‖ text), hex. */
  shown: { cardVersion: number | null; digest: string };
}

/** SHA-256(salt ‖ UTF-8 text), hex. */
export const shownDigest = (salt: Buffer, text: string): string =>
  createHash('sha256').update(salt).update(text, 'utf8').digest('hex');

/** Signs what was decided, by whom and on what they saw, in the transaction that counts it. */
export async function issueReceipt(
  services: Services,
  tx: Sql,
  actor: Actor,
  { person, action, right, input }: Countable,
): Promise<void> {
  const now = services.clock.now();
  const salt = randomBytes(32);
  const { text, version } = await shownText(tx, action, input.cardVersion);
  const claims: ReceiptClaims = {
    v: 1,
    iss: services.publicUrl,
    action: action.id,
    agent: action.agent,
    tool: action.tool,
    argsDigest: action.args_digest,
    release: action.release,
    segment: action.segment,
    phase: action.phase,
    epoch: action.epoch,
    revision: action.revision,
    round: action.round,
    verdict: input.verdict,
    ...(input.breakGlass ? { breakGlass: true } : {}),
    person,
    ...(right.for === person ? {} : { for: right.for }),
    via: actor.via,
    identity: actor.identity,
    at: now.toISOString(),
    shown: { cardVersion: version, digest: shownDigest(salt, text) },
  };
  const { kid, privateKey } = services.keys;
  const jws = await new CompactSign(Buffer.from(canonical(claims)))
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid, typ: RECEIPT_TYPE })
    .sign(privateKey);
  const receipt = { jws, shown: text, salt, at: now };
  await tx
    .insertInto('receipt')
    .values({ action_id: action.id, round: action.round, person, ...receipt })
    .onConflict((conflict) => conflict.columns(['action_id', 'round', 'person']).doUpdateSet(receipt))
    .execute();
}
