import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import { type Actor, type Role, requireRole } from '../actor.ts';
import type { Database, Sql } from '../db/database.ts';
import { isStoreDown } from '../db/failure.ts';
import type { TokenTable } from '../db/tables-access.ts';
import { INSTANT_RANGE, isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

const ADMIN_HOURS_MAX = 24;
const PREFIX = 'pct_';
const VOUCHED_FOR_MS = 60_000;
const VOUCHED_MAX = 10_000;

export interface TokenRequest {
  roles: readonly Role[];
  agent?: string;
  person?: string;
  attributes?: Record<string, unknown>;
  expiresAt?: Date;
}

/** The token in clear, once: only its SHA-256 is kept. */
export interface NewToken {
  id: string;
  token: string;
  expiresAt?: Date;
}

/** What is kept of a token, and what it is found by. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a token on an admin's word. */
export async function createToken(
  services: Services,
  actor: Actor,
  request: TokenRequest,
): Promise<NewToken> {
  requireRole(actor, ['admin'], request.agent);
  if (actor.agent !== undefined && request.agent === undefined) {
    throw new AppError('forbidden', `${actor.id} makes tokens for agent ${actor.agent} alone`);
  }
  if (request.roles.includes('agent') && request.agent === undefined) {
    throw new AppError(
      'invalid_input',
      'Cannot make an agent token without an agent: it acts for that agent alone',
    );
  }
  const now = services.clock.now();
  return services.db.sql.transaction().execute(async (tx) => {
    const made = await insertToken(tx, now, actor.id, request);
    const { roles, agent, person } = request;
    const data = {
      token: made.id,
      roles: [...roles],
      person: person ?? null,
      expires: made.expiresAt ?? null,
    };
    await appendEntry(tx, { kind: 'token.created', agent, ref: made.id, at: now, actor: actor.id, data });
    return made;
  });
}

/** Makes a token for whoever holds the database or the data folder (`token create --bootstrap`, `up`). */
export async function insertToken(db: Sql, now: Date, by: string, request: TokenRequest): Promise<NewToken> {
  if (request.roles.length === 0) throw new AppError('invalid_input', 'Cannot make a token without a role');
  if (request.roles.includes('approver') && !request.person) {
    throw new AppError(
      'invalid_input',
      'Cannot make an approver token without a person: approvals are personal',
    );
  }
  if (request.expiresAt && !isInstant(request.expiresAt))
    throw new AppError('invalid_input', `Cannot make a token that ends then: ${INSTANT_RANGE}`);
  const expiresAt = request.roles.includes('admin') ? adminExpiry(now, request.expiresAt) : request.expiresAt;
  const token = PREFIX + randomBytes(24).toString('base64url');
  const id = randomUUID();
  await db
    .insertInto('token')
    .values({
      id,
      hash: hashOf(token),
      roles: [...request.roles],
      agent: request.agent ?? null,
      person: request.person ?? null,
      attributes: JSON.stringify(request.attributes ?? {}),
      created_at: now,
      created_by: by,
      expires_at: expiresAt ?? null,
    })
    .execute();
  return { id, token, expiresAt };
}

function adminExpiry(now: Date, asked: Date | undefined): Date {
  const latest = new Date(now.getTime() + ADMIN_HOURS_MAX * 3_600_000);
  return asked && asked < latest ? asked : latest;
}

/** One message for all: whoever tries tokens learns nothing. */
export const TOKEN_OVER = 'The bearer token is missing, unknown, expired or revoked';

/**
 * Where a token is looked up: in the store, or, where the statement that acts asks for itself whether it stands still
 * (`Actor.token`, `token_still_good`), in what this process knows of it.
 */
export type LookUp = 'store' | 'memory';

/**
 * Who a bearer token stands for.
 * @throws AppError `unauthenticated` when it is missing, unknown, expired or revoked (one message for all).
 */
export async function authenticate(
  services: TokenServices,
  token: string | undefined,
  via: Actor['via'],
): Promise<Actor> {
  return authenticateHash(services, token ? hashOf(token) : undefined, via, 'store');
}

/**
 * The same of a token whose hash is known.
 * @throws AppError `unauthenticated`
 */
export async function authenticateHash(
  services: TokenServices,
  hash: string | undefined,
  via: Actor['via'],
  from: LookUp,
): Promise<Actor> {
  if (hash === undefined) throw new AppError('unauthenticated', TOKEN_OVER);
  const known = from === 'memory' ? knownIn(services.db, hash) : undefined;
  return standing(services, known ?? (await rowOf(services.db, hash)), via);
}

type TokenServices = Pick<Services, 'db' | 'clock'>;
/** A token with the epoch of tokens in which it was looked up. */
type TokenRow = Selectable<TokenTable> & { token_epoch: number };

/** Tokens each store vouched for within the last minute: while it is down, they still say whose leased read it is. */
const vouched = new WeakMap<Database, Map<string, { row: TokenRow; untilMs: number }>>();

function knownIn(db: Database, hash: string): TokenRow | undefined {
  const known = vouched.get(db)?.get(hash);
  return known && performance.now() <= known.untilMs ? known.row : undefined;
}

/** Whether a token stood when it was asked for last, within the last minute. Nothing is asked of the store. */
export function isVouchedFor({ db, clock }: TokenServices, hash: string): boolean {
  const row = knownIn(db, hash);
  return row !== undefined && isOpen(row, clock.now());
}

/** A statement said that it does not stand: the next request looks it up. */
export function forgetToken({ db }: Pick<Services, 'db'>, hash: string): void {
  vouched.get(db)?.delete(hash);
}

async function rowOf(db: Database, hash: string): Promise<TokenRow | undefined> {
  const known = vouched.get(db) ?? new Map();
  vouched.set(db, known);
  try {
    const row = await tokens(db).where('hash', '=', hash).executeTakeFirst();
    if (known.size >= VOUCHED_MAX) known.clear();
    if (row) known.set(hash, { row, untilMs: performance.now() + VOUCHED_FOR_MS });
    else known.delete(hash);
    return row;
  } catch (error) {
    const kept = knownIn(db, hash);
    if (!isStoreDown(error) || !kept) throw error;
    return kept;
  }
}

/** With their epoch as of the same moment. */
const tokens = ({ sql }: Database) =>
  sql.selectFrom(['token', 'installation']).selectAll('token').select('installation.token_epoch');

/**
 * The same by the token's id: a web session holds the id, never the token, and ends with the token.
 * @throws AppError `unauthenticated`
 */
export async function authenticateById(
  services: TokenServices,
  id: string,
  via: Actor['via'],
): Promise<Actor> {
  return standing(services, await tokens(services.db).where('token.id', '=', id).executeTakeFirst(), via);
}

const isOpen = ({ revoked_at, expires_at }: TokenRow, now: Date): boolean =>
  !revoked_at && !(expires_at && expires_at <= now);

function standing({ clock }: Pick<Services, 'clock'>, row: TokenRow | undefined, via: Actor['via']): Actor {
  if (!row || !isOpen(row, clock.now())) throw new AppError('unauthenticated', TOKEN_OVER);
  return {
    id: row.person ?? `token ${row.id.slice(0, 8)}`,
    ...(row.person ? { person: row.person } : {}),
    ...(row.agent ? { agent: row.agent } : {}),
    roles: row.roles as Role[],
    via,
    identity: `token ${row.id}`,
    token: { id: row.id, epoch: row.token_epoch },
    attributes: row.attributes,
  };
}
