import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { FollowUpState, Waiver } from '../db/tables-learning.ts';
import { isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { checkOne, type FactSources } from './check.ts';
import { type FollowUpRow, followUpById, lockedFollowUp } from './find.ts';

const WAIVED_MAX_DAYS = 90;

interface Said {
  id: string;
  /** States that it may be in. */
  from: readonly FollowUpState[];
  verb: string;
  kind: string;
  by: string;
  at: Date;
  data: Record<string, unknown>;
}

async function change(
  tx: Sql,
  { id, from, verb, kind, by, at, data }: Said,
  set: (row: FollowUpRow) => Record<string, unknown>,
): Promise<void> {
  const row = await lockedFollowUp(tx, id);
  if (!from.includes(row.state))
    throw new AppError('wrong_state', `Cannot ${verb} ${id}: it is ${row.state}`, { state: row.state });
  await tx
    .updateTable('follow_up')
    .set({ ...set(row), revision: row.revision + 1 } as never)
    .where('id', '=', id)
    .execute();
  await appendEntry(tx, { kind, agent: row.agent, ref: id, at, actor: by, data });
}

/**
 * Somebody says that it is done. Where its predicate can be evaluated it is verified at once, or stays claimed with what the
 * records say; a link needs a second person.
 * @throws AppError `forbidden`, `wrong_state`, `invalid_input` where a link is needed and none is given
 */
export async function claimFollowUp(
  services: Services,
  actor: Actor,
  { id, link }: { id: string; link?: string | undefined },
  sources: FactSources,
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager', 'on-call']);
  const seen = await followUpById(services.db.sql, actor, id);
  if (seen.done.kind === 'link' && !link?.trim())
    throw new AppError(
      'invalid_input',
      `Cannot claim ${id}: say by a link what was done, a second person looks at it`,
    );
  const at = services.clock.now();
  const said = { id, from: ['committed', 'claimed'] as const, verb: 'claim', kind: 'follow_up.claimed' };
  await services.db.sql.transaction().execute((tx) =>
    change(tx, { ...said, by: actor.id, at, data: { link } }, () => ({
      state: 'claimed',
      claimed_at: at,
      claimed_by: actor.id,
      link: link ?? seen.link,
    })),
  );
  await checkOne(services, id, sources);
  return followUpById(services.db.sql, actor, id);
}

/** An owner who did not claim it looks at the link and says that it is done. @throws AppError `forbidden`, `wrong_state` */
export async function verifyFollowUp(
  services: Services,
  actor: Actor,
  { id }: { id: string },
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await followUpById(services.db.sql, actor, id);
  const { person } = await requireOwner(services, actor, seen, 'verify a follow-up');
  if (seen.done.kind !== 'link')
    throw new AppError(
      'wrong_state',
      `Cannot verify ${id}: its predicate does, not a person; waive it, or drop it with the reason`,
      {
        state: seen.state,
      },
    );
  const at = services.clock.now();
  const said = { id, from: ['claimed'] as const, verb: 'verify', kind: 'follow_up.verified' };
  await services.db.sql.transaction().execute((tx) =>
    change(tx, { ...said, by: person, at, data: { link: seen.link } }, (row) => {
      if (row.claimed_by === person || row.owner === person)
        throw new AppError('forbidden', `${person} said that ${id} is done: a second person verifies it`);
      return { state: 'verified', verified_at: at, verified_by: person, remind_at: null, check_at: null };
    }),
  );
  return followUpById(services.db.sql, actor, id);
}

/** It will not be done, and why; or another one takes its place. @throws AppError `forbidden`, `wrong_state` */
export async function dropFollowUp(
  services: Services,
  actor: Actor,
  { id, reason, supersededBy }: { id: string; reason: string; supersededBy?: string | undefined },
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await followUpById(services.db.sql, actor, id);
  const { person } = await requireOwner(services, actor, seen, 'drop a follow-up');
  requireReason(reason, 'drop it');
  if (supersededBy !== undefined) {
    const other = await followUpById(services.db.sql, actor, supersededBy);
    if (other.agent !== seen.agent || other.id === id)
      throw new AppError('invalid_input', `${supersededBy} cannot take the place of ${id}`);
  }
  const at = services.clock.now();
  const state = supersededBy === undefined ? 'not_doing' : 'superseded';
  const said = {
    id,
    from: ['proposed', 'committed', 'claimed'] as const,
    verb: 'drop',
    kind: `follow_up.${state}`,
  };
  await services.db.sql.transaction().execute((tx) =>
    change(tx, { ...said, by: person, at, data: { reason, supersededBy } }, (row) => {
      const isOwn = row.owner === person || row.committed_by === person;
      if (isOwn && row.severity === 'high' && row.state !== 'proposed')
        throw new AppError(
          'forbidden',
          `${person} committed to ${id}, which is high: another owner drops it`,
        );
      return { state, reason, superseded_by: supersededBy ?? null, remind_at: null, check_at: null };
    }),
  );
  return followUpById(services.db.sql, actor, id);
}

/**
 * Somebody takes it on that it does not block until then. It goes on being due and being reminded of; when the time is over it
 * blocks again.
 * @throws AppError `forbidden`, `wrong_state`, `invalid_input` for a time that is past or over 90 days
 */
export async function waiveFollowUp(
  services: Services,
  actor: Actor,
  { id, reason, until }: { id: string; reason: string; until: Date },
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await followUpById(services.db.sql, actor, id);
  const { person } = await requireOwner(services, actor, seen, 'waive a follow-up');
  requireReason(reason, 'waive it');
  const at = services.clock.now();
  if (!isInstant(until) || until <= at || until.getTime() - at.getTime() > WAIVED_MAX_DAYS * services.dayMs)
    throw new AppError('invalid_input', `A waiver ends: within ${WAIVED_MAX_DAYS} days from now`);
  const waiver: Waiver = { person, reason, until: until.toISOString() };
  const said = { id, from: ['committed', 'claimed'] as const, verb: 'waive', kind: 'follow_up.waived' };
  await services.db.sql.transaction().execute((tx) =>
    change(tx, { ...said, by: person, at, data: { ...waiver } }, () => ({
      waiver: JSON.stringify(waiver),
    })),
  );
  return followUpById(services.db.sql, actor, id);
}
