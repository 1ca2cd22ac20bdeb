import { sql } from 'kysely';
import { staleIn } from '../approvals/standing.ts';
import type { Sql } from '../db/database.ts';
import { isUuid } from '../db/uuid.ts';
import type { Standing, Supporting, Verdict } from '../domain/approval.ts';
import { type ActionRow, noSuchAction } from './store.ts';

/** An answer that was given in this round. */
export interface Answer extends Supporting {
  verdict: Verdict;
  stage: number;
  /** Whose right it was. */
  for: string;
}

/** An action that is held until the end of the transaction, with what deciding on it takes to know. */
export interface ToDecide {
  action: ActionRow;
  /** Who is what, as far as it is about the person who decides. */
  standing: Standing;
  /** Those of this round, in their order. */
  answers: Answer[];
  /** When the person looked at its page first. */
  lookedAt: Date | null;
  /** When its first card was posted. */
  postedAt: Date | null;
  /** What the card said at the version that was clicked, if it was kept. */
  cardText: string | null;
}

interface Row extends ActionRow, Pick<Standing, 'members' | 'deputies' | 'editors'> {
  manifest: Standing['agent'];
  fresh: string[];
  answers: Answer[];
  looked_at: Date | null;
  posted_at: Date | null;
  card_text: string | null;
}

/** Locks the action and reads what a decision on it depends on. @throws AppError `not_found` */
export async function lockToDecide(
  tx: Sql,
  {
    id,
    person,
    cardVersion,
    now,
  }: { id: string; person: string; cardVersion: number | undefined; now: Date },
): Promise<ToDecide> {
  if (!isUuid(id)) throw noSuchAction(id);
  const { rows } =
    await sql<Row>`SELECT (f.a).*, f.manifest, f.members, f.deputies, f.fresh, f.editors, f.answers,
      f.looked_at, f.posted_at, f.card_text
    FROM action_to_decide(${id}, ${person}, ${cardVersion ?? null}, ${now}) AS f`.execute(tx);
  const [row] = rows;
  if (!row) throw noSuchAction(id);
  const { manifest, members, deputies, fresh, editors, answers, looked_at, posted_at, card_text, ...action } =
    row;
  return {
    action,
    standing: { agent: manifest, members, deputies, editors, stale: staleIn(manifest, fresh) },
    answers,
    lookedAt: looked_at,
    postedAt: posted_at,
    cardText: card_text,
  };
}
