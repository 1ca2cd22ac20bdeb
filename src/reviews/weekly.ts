import { type Actor, requireRole } from '../actor.ts';
import { digestOf } from '../domain/digest.ts';
import { lastWholeWeek, weekAt, weekOf } from '../domain/review/iso-week.ts';
import { pageMarkdown } from '../domain/review/markdown.ts';
import { pageOf } from '../domain/review/page.ts';
import type { ReviewPage } from '../domain/review/page-form.ts';
import {
  differenceOf,
  onlyOf,
  REVIEW_FUNCTIONS,
  type ReviewFunction,
  type WeekSnapshot,
} from '../domain/review/weekly.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { recount, type StoredReview, storedReview } from './make.ts';
import { readersOf } from './readers.ts';
import { weekFacts } from './week-facts.ts';

const LISTED_MAX = 60;

export interface ReviewAnswer {
  function: string;
  person: string;
  comment: string | null;
  at: Date;
  via: string;
}

/** A page as it is shown: to a token of one agent, that agent's part. */
export interface ShownReview {
  stored: StoredReview;
  snapshot: WeekSnapshot;
  page: ReviewPage;
  markdown: string;
  answers: ReviewAnswer[];
}

/** The weeks that have a page, newest first: their newest version, and which functions have read it. */
export async function listWeeklyReviews({ db }: Services) {
  const rows = await db.sql
    .selectFrom('weekly_review')
    .distinctOn('week')
    .select(['week', 'version', 'made_at', 'due_at', 'digest'])
    .orderBy('week', 'desc')
    .orderBy('version', 'desc')
    .limit(LISTED_MAX)
    .execute();
  const weeks = rows.map(({ week }) => week);
  const answers =
    weeks.length === 0
      ? []
      : await db.sql
          .selectFrom('review_answer')
          .select(['week', 'function'])
          .where('week', 'in', weeks)
          .execute();
  return rows.map((row) => ({
    ...row,
    readBy: REVIEW_FUNCTIONS.filter((name) =>
      answers.some((one) => one.week === row.week && one.function === name),
    ) as ReviewFunction[],
  }));
}

/** @throws AppError `not_found`, which says which week is the last that is over */
export async function weeklyReview(
  services: Services,
  actor: Actor,
  week: string,
  version?: number,
): Promise<ShownReview> {
  const stored = await requireStored(services, week, version);
  const answers = await services.db.sql
    .selectFrom('review_answer')
    .select(['function', 'person', 'comment', 'at', 'via'])
    .where('week', '=', week)
    .orderBy('id')
    .limit(200)
    .execute();
  return { stored, answers, ...shown(actor, stored.snapshot) };
}

/** A look at the week that is not over yet: kept nowhere, and said to be partial. */
export async function previewReview(
  services: Services,
  actor: Actor,
): Promise<Omit<ShownReview, 'stored' | 'answers'>> {
  const now = services.clock.now();
  const week = { ...weekAt(now), to: now };
  const before = { snapshot: undefined, missed: [], unread: [], version: 1 };
  return shown(actor, await weekFacts(services.db.sql, week, before, services.dayMs));
}

function shown(actor: Actor, whole: WeekSnapshot) {
  const snapshot = actor.agent === undefined ? whole : onlyOf(whole, [actor.agent]);
  const page = pageOf(snapshot);
  return { snapshot, page, markdown: pageMarkdown(page) };
}

async function requireStored(services: Services, week: string, version?: number): Promise<StoredReview> {
  const stored = await storedReview(services.db.sql, week, version);
  if (stored) return stored;
  const last = lastWholeWeek(services.clock.now()).id;
  throw new AppError(
    'not_found',
    weekOf(week)
      ? `There is no page of week ${week}${version === undefined ? '' : `, version ${version}`}`
      : `"${week}" is no week: write it as ${last}`,
    { hint: 'portcullis reviews list says which weeks have one' },
  );
}

export interface Verified {
  week: string;
  version: number;
  digest: string;
  /** The snapshot is what its digest says. */
  snapshotIntact: boolean;
  /** The page made of it again is the page that was shown, byte for byte. */
  pageSame: boolean;
  /** What is counted differently now: late data. */
  differences: string[];
}

/**
 * Makes a page again: from its snapshot, and the snapshot from the records.
 * @throws AppError `not_found`
 */
export async function verifyReview(
  services: Services,
  actor: Actor,
  week: string,
  version?: number,
): Promise<Verified> {
  requireRole(actor, ['release-manager', 'auditor', 'on-call', 'approver']);
  const stored = await requireStored(services, week, version);
  const { snapshot, digest, page_digest } = stored;
  const mine = (all: WeekSnapshot) => (actor.agent === undefined ? all : onlyOf(all, [actor.agent]));
  return {
    week,
    version: stored.version,
    digest,
    snapshotIntact: digestOf(snapshot) === digest,
    pageSame: digestOf(pageOf(snapshot)) === page_digest,
    differences: differenceOf(mine(snapshot), mine(await recount(services, stored))),
  };
}

/**
 * A function has read a page, or has something to say of it. A person answers for the functions that a manifest names them
 * for (`reviews:` of an agent they belong to).
 * @throws AppError `not_found`, `forbidden` naming who may
 */
export async function answerReview(
  services: Services,
  actor: Actor,
  { week, function: name, comment }: { week: string; function: ReviewFunction; comment?: string | undefined },
): Promise<void> {
  const stored = await requireStored(services, week);
  const { person } = actor;
  if (!person)
    throw new AppError('forbidden', 'Only a person answers a review: use a token made for one (--person)');
  if (comment !== undefined) requireReason(comment, 'comment');
  const may = await readersOf(services.db.sql, name, actor.agent);
  if (!may.includes(person))
    throw new AppError(
      'forbidden',
      `${person} may not answer for ${name}: ${may.length > 0 ? may.join(', ') : 'nobody'} may, as the manifests of the agents say under "reviews"`,
    );
  const now = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    await tx
      .insertInto('review_answer')
      .values({
        week,
        version: stored.version,
        function: name,
        person,
        comment: comment ?? null,
        at: now,
        via: actor.via,
      })
      .execute();
    await appendEntry(tx, {
      kind: comment === undefined ? 'review.acknowledged' : 'review.commented',
      ref: week,
      at: now,
      actor: actor.id,
      data: { function: name, version: stored.version, via: actor.via, identity: actor.identity },
    });
  });
}
