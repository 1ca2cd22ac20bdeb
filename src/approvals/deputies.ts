import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { DeputyTable } from '../db/tables-approvals.ts';
import { isUuid } from '../db/uuid.ts';
import { type Agent, groupOf, isLive, standsBehind } from '../domain/agent.ts';
import { INSTANT_RANGE, isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

export type DeputyRow = Selectable<DeputyTable>;

/** "While I am away, she answers for me." */
export interface DeputyInput {
  agent: string;
  /** Whose right it is; default: the person who acts. */
  from?: string;
  to: string;
  /** Only in this group; default: in all of theirs. */
  group?: string;
  /** Default: now. */
  startsAt?: Date;
  endsAt: Date;
  reason: string;
}

export const DEPUTY_DAYS_MAX = 30;
const DAY_MS = 86_400_000;

/**
 * Lets somebody answer for somebody else, for a while. People name their own deputies; a release manager may name
 * them for others, but never themselves. What a deputy was lent is never lent on.
 * @throws AppError `forbidden`, `not_eligible`, `unknown_agent`, `invalid_input`
 */
export async function createDeputy(services: Services, actor: Actor, input: DeputyInput): Promise<DeputyRow> {
  requireRole(actor, ['approver', 'release-manager'], input.agent);
  requireReason(input.reason, 'name a deputy');
  const from = input.from ?? personOf(actor);
  assertMayName(actor, from, input.to);
  const now = services.clock.now();
  const agent = await manifestOf(services.db.sql, input.agent);
  const startsAt = input.startsAt ?? now;
  const problem = peopleProblem(agent, from, input) ?? timeProblem(startsAt, input.endsAt, now);
  if (problem) throw new AppError('invalid_input', `Cannot name a deputy: ${problem}`);
  const row: DeputyRow = {
    id: randomUUID(),
    agent: input.agent,
    from_person: from,
    to_person: input.to,
    grp: input.group ?? null,
    starts_at: startsAt,
    ends_at: input.endsAt,
    reason: input.reason,
    created_at: now,
    created_by: personOf(actor),
    revoked_at: null,
    revoked_by: null,
  };
  await services.db.sql.transaction().execute(async (tx) => {
    await tx.insertInto('deputy').values(row).execute();
    await appendEntry(tx, {
      kind: 'approval.deputy_added',
      agent: row.agent,
      ref: row.id,
      at: now,
      actor: actor.id,
      data: {
        from,
        to: row.to_person,
        group: row.grp,
        startsAt: startsAt.toISOString(),
        endsAt: row.ends_at.toISOString(),
        reason: row.reason,
        via: actor.via,
        identity: actor.identity,
        ...(from === actor.person ? {} : { namedBy: 'release-manager' }),
      },
    });
  });
  return row;
}

/**
 * Ends it: by either of the two, or by a release manager. Once it has returned no write begins by what the deputy
 * approved. Repeating it changes nothing.
 * @throws AppError `forbidden`, `not_eligible`, `not_found`
 */
export async function revokeDeputy(
  services: Services,
  actor: Actor,
  { agent, id }: { agent: string; id: string },
): Promise<DeputyRow> {
  requireRole(actor, ['approver', 'release-manager'], agent);
  const known = await deputyById(services.db.sql, agent, id);
  const person = personOf(actor);
  const isOwn = person === known.from_person || person === known.to_person;
  if (!isOwn && !actor.roles.includes('release-manager'))
    throw new AppError('forbidden', `${person} may not end it: it is between ${pairOf(known)}`);
  if (known.revoked_at) return known;
  const now = services.clock.now();
  await closeGateFor(services, async (tx) => {
    const revoked = await tx
      .updateTable('deputy')
      .set({ revoked_at: now, revoked_by: person })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    if (revoked.numUpdatedRows === 0n) return;
    const data = { from: known.from_person, to: known.to_person, via: actor.via, identity: actor.identity };
    await appendEntry(tx, {
      kind: 'approval.deputy_revoked',
      agent,
      ref: id,
      at: now,
      actor: actor.id,
      data,
    });
  });
  return deputyById(services.db.sql, agent, id);
}

/** Those that count now or will, soonest first; with `ended` also those that are over or were revoked. */
export function listDeputies(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  { agent, ended }: { agent: string; ended: boolean },
): Promise<DeputyRow[]> {
  let query = db.sql
    .selectFrom('deputy')
    .selectAll()
    .where('agent', '=', agent)
    .orderBy('starts_at', ended ? 'desc' : 'asc')
    .orderBy('id')
    .limit(500);
  if (!ended) query = query.where('revoked_at', 'is', null).where('ends_at', '>', clock.now());
  return query.execute();
}

/** Whether it counts at a time, did or will. */
export function deputyState(
  { starts_at, ends_at, revoked_at }: DeputyRow,
  at: Date,
): 'revoked' | 'over' | 'running' | 'coming' {
  if (revoked_at) return 'revoked';
  if (ends_at <= at) return 'over';
  return starts_at <= at ? 'running' : 'coming';
}

async function deputyById(db: Sql, agent: string, id: string): Promise<DeputyRow> {
  const row = isUuid(id)
    ? await db
        .selectFrom('deputy')
        .selectAll()
        .where('id', '=', id)
        .where('agent', '=', agent)
        .executeTakeFirst()
    : undefined;
  if (!row) throw new AppError('not_found', `Agent "${agent}" has no deputy "${id.slice(0, 64)}"`);
  return row;
}

const pairOf = ({ from_person, to_person }: DeputyRow): string => `${from_person} and ${to_person}`;

function personOf(actor: Actor): string {
  if (actor.person) return actor.person;
  throw new AppError('not_eligible', 'Cannot name or end a deputy: the token stands for no person');
}

function assertMayName(actor: Actor, from: string, to: string): void {
  const person = personOf(actor);
  if (person === from) {
    requireRole(actor, ['approver']);
    return;
  }
  if (!actor.roles.includes('release-manager'))
    throw new AppError('forbidden', `${person} may not name a deputy of ${from}: only a release manager may`);
  if (person === to)
    throw new AppError('forbidden', `${person} may not make themselves the deputy of ${from}`);
}

function peopleProblem(agent: Agent, from: string, { to, group }: DeputyInput): string | undefined {
  for (const person of [from, to])
    if (!Object.hasOwn(agent.people, person)) return `"${person}" is not a person of agent "${agent.agent}"`;
  if (from === to) return `${to} cannot be their own deputy`;
  if (!agent.testMode && standsBehind(agent, to))
    return `${to} owns or deploys agent "${agent.agent}", and what they approve does not count`;
  if (group === undefined) return undefined;
  const known = groupOf(agent, group);
  if (!known) return `there is no approver group "${group}"`;
  // Who is in a live group is known only from hour to hour: there the deputy counts while the other one is in it.
  if (!isLive(known) && !known.people?.includes(from)) return `${from} is not in approver group "${group}"`;
  return undefined;
}

function timeProblem(startsAt: Date, endsAt: Date, now: Date): string | undefined {
  if (!isInstant(startsAt) || !isInstant(endsAt)) return INSTANT_RANGE;
  if (startsAt < now) return 'it would start in the past';
  if (endsAt <= startsAt) return 'it would end before it starts';
  const days = (endsAt.getTime() - startsAt.getTime()) / DAY_MS;
  return days > DEPUTY_DAYS_MAX ? `it may last at most ${DEPUTY_DAYS_MAX} days` : undefined;
}
