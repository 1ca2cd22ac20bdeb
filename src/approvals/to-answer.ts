import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Clock } from '../clock.ts';
import type { Sql } from '../db/database.ts';
import { isUuid } from '../db/uuid.ts';
import type { Agent } from '../domain/agent.ts';
import type { Eligibility, Supporting, Verdict } from '../domain/approval/approval.ts';
import { type ActionRow, noSuchAction } from '../records/action.ts';
import { staleIn } from './eligibility.ts';

/** Somebody whom only the manifest of an agent makes a person of it: a Slack account. */
export interface Account {
  /** `user/team`. */
  slack: string;
  /** In lower case, where it may stand for a person. */
  email?: string;
  /** @throws AppError `forbidden` with what to do about it */
  actorIn(agent: Agent): Actor;
}

/** An answer that was given in this round. */
export interface Answer extends Supporting {
  verdict: Verdict;
  stage: number;
  /** Whose right it was. */
  for: string;
}

/** An action that is held until the end of the transaction, with what deciding on it takes to know. */
export interface ToDecide {
  /** Who decides, by the manifest as it is. */
  actor: Actor;
  /** When it was held: what is decided is decided then. */
  at: Date;
  action: ActionRow;
  /** Who is what at that time, as far as it is about the person who decides. */
  eligibility: Eligibility;
  /** Those of this round, in their order. */
  answers: Answer[];
  /** When the person looked at its page first. */
  lookedAt: Date | null;
  /** When its first card was posted. */
  postedAt: Date | null;
  /** What the card said at the version that was clicked, if it was kept. */
  cardText: string | null;
}

/** Times are ISO 8601; `null` or absent: without end. */
interface Timed {
  startsAt?: string | null;
  endsAt: string | null;
}

interface Row extends ActionRow, Pick<Eligibility, 'editors'> {
  manifest: Eligibility['agent'];
  members: (Eligibility['members'][number] & Timed)[];
  deputies: (Eligibility['deputies'][number] & Timed)[];
  sources: ({ group: string } & Timed)[];
  answers: Answer[];
  looked_at: Date | null;
  posted_at: Date | null;
  card_text: string | null;
}

/**
 * Locks the action and reads what a decision on it depends on. The time is read afterwards: whoever waited for the lock
 * is judged by what they are when they get it.
 * @throws AppError `not_found`, `forbidden` for an account that is nobody
 */
export async function lockToDecide(
  tx: Sql,
  clock: Clock,
  who: Actor | Account,
  { id, cardVersion }: { id: string; cardVersion?: number },
): Promise<ToDecide> {
  if (!isUuid(id)) throw noSuchAction(id);
  const [person, slack, email] = 'actorIn' in who ? [null, who.slack, who.email] : [who.person];
  const { rows } =
    await sql<Row>`SELECT (f.a).*, f.manifest, f.members, f.deputies, f.sources, f.editors, f.answers,
      f.looked_at, f.posted_at, f.card_text
    FROM action_to_decide(${id}, ${person ?? null}, ${slack ?? null}, ${email ?? null}, ${cardVersion ?? null}) AS f`.execute(
      tx,
    );
  const [row] = rows;
  if (!row) throw noSuchAction(id);
  const at = clock.now();
  const {
    manifest,
    members,
    deputies,
    sources,
    editors,
    answers,
    looked_at,
    posted_at,
    card_text,
    ...action
  } = row;
  const fresh = sources.filter((one) => isThen(one, at)).map(({ group }) => group);
  return {
    actor: 'actorIn' in who ? who.actorIn(manifest) : who,
    at,
    action,
    eligibility: {
      agent: manifest,
      members: members.filter((one) => isThen(one, at)),
      deputies: deputies.filter((one) => isThen(one, at)),
      editors,
      stale: staleIn(manifest, fresh),
    },
    answers,
    lookedAt: looked_at,
    postedAt: posted_at,
    cardText: card_text,
  };
}

const isThen = ({ startsAt, endsAt }: Timed, at: Date): boolean =>
  (startsAt == null || new Date(startsAt) <= at) && (endsAt === null || new Date(endsAt) > at);
