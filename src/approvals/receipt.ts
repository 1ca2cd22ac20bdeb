import { randomBytes } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Countable } from '../actions/count.ts';
import type { Actor, Services } from '../context.ts';
import { canonical, SIGNING_ALGORITHM } from '../credentials/keys.ts';
import type { Sql } from '../db/database.ts';
import { RECEIPT_TYPE, type ReceiptClaims, shownDigest } from './receipt-claims.ts';
import { shownText } from './shown.ts';

/** Signs what was decided, by whom and on what they saw, in the transaction that counts it. */
export async function issueReceipt(
  services: Services,
  tx: Sql,
  actor: Actor,
  { person, action, right, input }: Pick<Countable, 'person' | 'action' | 'right' | 'input'>,
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
  const { verdict } = input;
  await tx
    .insertInto('receipt')
    .values({ action_id: action.id, round: action.round, person, verdict, jws, shown: text, salt, at: now })
    .execute();
}
