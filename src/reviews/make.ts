import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { WeeklyReviewTable } from '../db/tables-reviews.ts';
import { digestOf } from '../domain/digest.ts';
import { lastWholeWeek, type Week, weekBefore, weekOf } from '../domain/review/iso-week.ts';
import { pageOf } from '../domain/review/page.ts';
import { differenceOf, REVIEW_FUNCTIONS, type WeekSnapshot } from '../domain/review/weekly.ts';
import { workingDaysAfter } from '../domain/working-days.ts';
import { foldCounts } from '../records/counters.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { readersOf } from './readers.ts';
import { scorePredictions } from './score.ts';
import { type Before, weekFacts } from './week-facts.ts';

/** A page with its snapshot typed. */
export interface StoredReview extends Omit<Selectable<WeeklyReviewTable>, 'snapshot'> {
  snapshot: WeekSnapshot;
}

/** Every function reads a page within so many working days. */
export const READ_WITHIN_DAYS = 3;
/** As many weeks without a page are named. */
const MISSED_MAX = 8;

/**
 * Makes the page of the last week that is over, unless there is one; and looks at the page before, whether late data changed
 * it: then it makes another version of that one, with what is different. Weeks for which it was never called are named on
 * the page, and get none of their own.
 */
export async function makeWeeklyReview(services: Services): Promise<StoredReview[]> {
  const db = services.db.sql;
  await foldCounts(db, services.dayMs);
  await scorePredictions(services);
  const week = lastWholeWeek(services.clock.now());
  const latest = await latestBefore(db, week);
  const renewed = latest ? await renew(services, latest) : undefined;
  const known = await storedReview(db, week.id);
  const page = known ? await renew(services, known) : await makeFirst(services, week, renewed ?? latest);
  return [renewed, page].filter((one) => one !== undefined);
}

async function makeFirst(
  services: Services,
  week: Week,
  latest: StoredReview | undefined,
): Promise<StoredReview> {
  const before: Before = {
    snapshot: latest?.snapshot,
    missed: latest ? missedBetween(latest.week, week) : [],
    unread: latest ? await unreadOf(services.db.sql, latest, services.clock.now()) : [],
    version: 1,
  };
  return store(services, await weekFacts(services.db.sql, week, before, services.dayMs), []);
}

/** Another version where what was counted differs now; else nothing. */
async function renew(services: Services, stored: StoredReview): Promise<StoredReview | undefined> {
  const fresh = await recount(services, stored);
  const difference = differenceOf(stored.snapshot, fresh);
  if (difference.length === 0) return undefined;
  return store(services, { ...fresh, version: stored.version + 1 }, difference);
}

/** The facts of a stored page, gathered again now. */
export async function recount(services: Services, { snapshot }: StoredReview): Promise<WeekSnapshot> {
  const week = weekOf(snapshot.week);
  if (!week) throw new RangeError(`${snapshot.week} is no week`);
  const { missed, unread, version } = snapshot;
  const before = await latestBefore(services.db.sql, week);
  return weekFacts(
    services.db.sql,
    week,
    { snapshot: before?.snapshot, missed, unread, version },
    services.dayMs,
  );
}

async function store(
  services: Services,
  snapshot: WeekSnapshot,
  difference: string[],
): Promise<StoredReview> {
  const now = services.clock.now();
  const { week, version } = snapshot;
  await services.db.sql.transaction().execute(async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('weekly_review')
      .values({
        week,
        version,
        made_at: now,
        due_at: workingDaysAfter(now, READ_WITHIN_DAYS, services.dayMs),
        digest: digestOf(snapshot),
        page_digest: digestOf(pageOf(snapshot)),
        snapshot: JSON.stringify(snapshot),
        difference: JSON.stringify(difference),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 0n) return;
    await appendEntry(tx, {
      kind: 'review.made',
      ref: week,
      at: now,
      actor: 'reviews',
      data: { version, digest: digestOf(snapshot), differences: difference.length },
    });
  });
  const stored = await storedReview(services.db.sql, week, version);
  if (!stored) throw new Error('the store kept no page');
  return stored;
}

function missedBetween(latest: string, week: Week): string[] {
  const missed: string[] = [];
  for (
    let before = weekBefore(week);
    before.id !== latest && missed.length < MISSED_MAX;
    before = weekBefore(before)
  )
    missed.unshift(before.id);
  return missed;
}

/** The functions that somebody reads for, and that have not answered a page whose deadline is over. */
async function unreadOf(db: Sql, { week, due_at }: StoredReview, now: Date): Promise<string[]> {
  if (due_at > now) return [];
  const answered = await db
    .selectFrom('review_answer')
    .select('function')
    .where('week', '=', week)
    .where('at', '<=', due_at)
    .execute();
  const unread: string[] = [];
  for (const name of REVIEW_FUNCTIONS) {
    const isAnswered = answered.some((one) => one.function === name);
    if (!isAnswered && (await readersOf(db, name)).length > 0) unread.push(name);
  }
  return unread;
}

/** A stored page: of a week its newest version, or the one that is named. */
export async function storedReview(
  db: Sql,
  week: string,
  version?: number,
): Promise<StoredReview | undefined> {
  let query = db.selectFrom('weekly_review').selectAll().where('week', '=', week);
  if (version !== undefined) query = query.where('version', '=', version);
  const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
  return row && { ...row, snapshot: row.snapshot as WeekSnapshot };
}

async function latestBefore(db: Sql, { id }: Week): Promise<StoredReview | undefined> {
  const row = await db
    .selectFrom('weekly_review')
    .selectAll()
    .where('week', '<', id)
    .orderBy('week', 'desc')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { ...row, snapshot: row.snapshot as WeekSnapshot };
}

/** The newest page of all. */
export async function latestReview(db: Sql): Promise<StoredReview | undefined> {
  const row = await db
    .selectFrom('weekly_review')
    .selectAll()
    .orderBy('week', 'desc')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { ...row, snapshot: row.snapshot as WeekSnapshot };
}
