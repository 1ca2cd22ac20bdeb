import type { Actor } from '../actor.ts';
import type { Clock } from '../clock.ts';
import type { Database, Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from './manifest.ts';

/**
 * What carries a release further, or says what went wrong with it, is an owner's to say, or that of whoever an owner named as their deputy for all they do.
 * A role alone is not enough: a token may be made for anybody.
 * @returns the person and, for a deputy, the owner they stand in for
 * @throws AppError `forbidden`
 */
export async function requireOwner(
  { db, clock }: { db: Database; clock: Clock },
  actor: Actor,
  { agent }: { agent: string },
  verb: string,
): Promise<{ person: string; for?: string }> {
  const { person } = actor;
  if (!person)
    throw new AppError('forbidden', `Only a person may ${verb}: use a token made for one (--person)`);
  const { owners, people } = await manifestOf(db.sql, agent);
  if (owners.includes(person)) return { person };
  const lender = Object.hasOwn(people, person)
    ? await lenderOf(db.sql, { agent, person, owners }, clock.now())
    : undefined;
  if (lender !== undefined) return { person, for: lender };
  throw new AppError(
    'forbidden',
    `${person} may not ${verb}: only an owner of "${agent}" (${owners.join(', ')}) may, or a deputy an owner named (portcullis deputy add)`,
    { owners },
  );
}

/** The owner whom a deputy stands in for in all they do, by an owner's own word. */
async function lenderOf(
  db: Sql,
  { agent, person, owners }: { agent: string; person: string; owners: readonly string[] },
  now: Date,
): Promise<string | undefined> {
  const lent = await db
    .selectFrom('deputy')
    .select('from_person')
    .where('agent', '=', agent)
    .where('to_person', '=', person)
    .where('from_person', 'in', owners)
    .where('created_by', 'in', owners)
    .where('grp', 'is', null)
    .where('revoked_at', 'is', null)
    .where('starts_at', '<=', now)
    .where('ends_at', '>', now)
    .executeTakeFirst();
  return lent?.from_person;
}
