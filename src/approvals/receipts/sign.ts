import { randomBytes } from 'node:crypto';
import { CompactSign } from 'jose';
import { SIGNING_ALGORITHM } from '../../credentials/keys.ts';
import type { Sql } from '../../db/database.ts';
import { canonical } from '../../domain/digest.ts';
import type { Services } from '../../services.ts';
import type { Countable } from '../countable.ts';
import { RECEIPT_TYPE, type ReceiptClaims, shownDigest } from './claims.ts';
import { recordText, wishLine } from './shown-text.ts';

/** A receipt as it is kept: the signature, and the text and salt (hex) that it stands for. */
export interface SignedReceipt {
  jws: string;
  text: string;
  salt: string;
}

/** Signs what is decided, by whom and on what they saw: the clicked version of the card, else what the record says. */
export async function signReceipt(
  { keys, issuer }: Pick<Services, 'keys' | 'issuer'>,
  tx: Sql,
  { person, known, right, input, standingWish }: Countable,
): Promise<SignedReceipt> {
  const { actor, at, action, eligibility, cardText } = known;
  const shown = cardText ?? (await recordText(tx, action, eligibility.agent));
  const text = standingWish ? `${shown}\n${wishLine(standingWish)}` : shown;
  const wish =
    standingWish ?? (input.verdict === 'approve' && !input.breakGlass ? action.standing_wish : null);
  const salt = randomBytes(32);
  const claims: ReceiptClaims = {
    v: 1,
    iss: issuer,
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
    ...(wish ? { standing: { maxUses: wish.maxUses, forMs: wish.forMs } } : {}),
    person,
    ...(right.for === person ? {} : { for: right.for }),
    via: actor.via,
    identity: actor.identity,
    at: at.toISOString(),
    shown: {
      cardVersion: cardText === null ? null : (input.cardVersion ?? null),
      digest: shownDigest(salt, text),
    },
  };
  const { kid, privateKey } = keys;
  const jws = await new CompactSign(Buffer.from(canonical(claims)))
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid, typ: RECEIPT_TYPE })
    .sign(privateKey);
  return { jws, text, salt: salt.toString('hex') };
}
