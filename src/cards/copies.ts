import { keepShown } from '../approvals/receipts/shown-text.ts';
import { COPY_GONE, type Copy, copiesOf } from '../records/copy.ts';
import type { Services } from '../services.ts';
import { actionCard } from './action-card.ts';
import type { SlackMessage } from './blocks/message.ts';
import { visibleText } from './blocks/visible.ts';
import { type CardFacts, cardVersion, readCardFacts } from './card-facts.ts';
import type { SlackPort } from './posting/port.ts';

const ROUNDS_MAX = 5;

type CardServices = Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs'>;

/** Remembers a posted copy. A copy found by a click on it (its post was lost on the way) is taken in the same way. */
export async function keepCopy(
  { db, clock }: CardServices,
  ref: string,
  copy: Copy,
  version: number,
): Promise<void> {
  await db.sql
    .insertInto('card')
    .values({ ...copy, ref, revision: version, posted_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * The card to show, what it says kept first: a click on it can be proved from then on. What was erased meanwhile is not
 * kept; the copy is brought up to date by whoever erased.
 */
export async function cardToShow({ db }: Pick<CardServices, 'db'>, facts: CardFacts): Promise<SlackMessage> {
  const card = actionCard(facts);
  await db.sql.transaction().execute(async (tx) => {
    const kept = await tx
      .selectFrom('action_private')
      .select('action_id')
      .where('action_id', '=', facts.action.id)
      .forKeyShare()
      .executeTakeFirst();
    if (kept || facts.args === undefined)
      await keepShown(tx, facts.action.id, facts.action.card_version, visibleText(card));
  });
  return card;
}

/**
 * Brings one copy up to what the record says. Whoever wrote reads again afterwards: of two who write at once, the
 * later one sees what the earlier one showed and the copy ends up true.
 */
export async function refreshCopy(
  services: CardServices,
  slack: SlackPort,
  id: string,
  copy: Copy,
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const facts = await readCardFacts(services, id);
    const shown = await slack.update(copy, await cardToShow(services, facts));
    await services.db.sql
      .updateTable('card')
      .set({ revision: shown ? facts.action.card_version : COPY_GONE })
      .where('channel', '=', copy.channel)
      .where('ts', '=', copy.ts)
      .execute();
    if (!shown || (await cardVersion(services.db.sql, id)) === facts.action.card_version) return;
  }
}

/** Brings every copy that is behind up to the record. */
export async function refreshCopies(services: CardServices, slack: SlackPort, id: string): Promise<void> {
  const version = await cardVersion(services.db.sql, id);
  for (const { channel, ts, revision } of await copiesOf(services.db.sql, id)) {
    if (revision < version) await refreshCopy(services, slack, id, { channel, ts });
  }
}
