import { setTimeout as sleep } from 'node:timers/promises';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

const MINUTE_MS = 60_000;
/** A refusal comes so late: who sends the next request when it has the answer to this one sends few, and others are served. */
const REFUSED_AFTER_MS = 250;
/** More than these are refused at once: they must not fill the memory. */
const HELD_BACK_MAX = 1_000;
/** Callers whose counts are kept, of each kind; the least recent ones are forgotten. */
const COUNTED_MAX = 50_000;

/** What each kind of caller may send in a minute. None of them takes from another. */
export interface BudgetSizes {
  /** Requests without a token or session, of one address. */
  anonymous: number;
  /** Tokens that were none, of one address. */
  failed: number;
  /** Sign-ins that failed, of one address. */
  signIns: number;
  /** Requests of one token that stands; at least the rate the service itself can decide. */
  token: number;
  /** Requests of one session that stands. */
  session: number;
}

const BUDGETS: BudgetSizes = { anonymous: 1_200, failed: 300, signIns: 30, token: 300_000, session: 1_200 };

/** Counts one request, or with `peek` only looks. @throws AppError `rate_limited` */
type Count = (request: FastifyRequest, peek?: 'peek') => Promise<void>;

/**
 * Before anything is asked of the store, and keyed by what was verified: an address for those who showed nothing that
 * holds, else the token or session itself.
 */
export interface Budgets {
  anonymous: Count;
  failed: Count;
  signIns: Count;
  /** One caller that is known: by token or session id. */
  token(request: FastifyRequest, id: string): Promise<void>;
  session(request: FastifyRequest, id: string): Promise<void>;
}

export async function createBudgets(
  app: FastifyInstance,
  sizes: Partial<BudgetSizes> = {},
): Promise<Budgets> {
  await app.register(rateLimit, { global: false, cache: COUNTED_MAX });
  const max = { ...BUDGETS, ...sizes };
  const known = new WeakMap<FastifyRequest, string>();
  const limitOf = (kind: keyof BudgetSizes, keyGenerator: (request: FastifyRequest) => string) => {
    const count = app.createRateLimit({ max: max[kind], timeWindow: MINUTE_MS, keyGenerator });
    return async (request: FastifyRequest, peek?: 'peek') => {
      const state = await count(request, { increment: peek === undefined });
      if (state.isAllowed) return;
      if (!(peek ? state.remaining === 0 : state.isExceeded)) return;
      await holdBack();
      throw tooMany(state.ttlInSeconds);
    };
  };
  // Whoever has one IPv6 address has the /64 around it.
  const address = ({ ip }: FastifyRequest): string => rateLimit.normalizeIP(ip, 64);
  const ofKnown = (kind: 'token' | 'session') => {
    const count = limitOf(kind, (request) => known.get(request) ?? '');
    return (request: FastifyRequest, id: string) => {
      known.set(request, id);
      return count(request);
    };
  };
  return {
    anonymous: limitOf('anonymous', address),
    failed: limitOf('failed', address),
    signIns: limitOf('signIns', address),
    token: ofKnown('token'),
    session: ofKnown('session'),
  };
}

let heldBack = 0;

async function holdBack(): Promise<void> {
  if (heldBack >= HELD_BACK_MAX) return;
  heldBack++;
  await sleep(REFUSED_AFTER_MS);
  heldBack--;
}

const tooMany = (retryAfterS: number): AppError =>
  new AppError('rate_limited', `Too many requests: wait ${retryAfterS} s`, { retryAfterS });

/** What a refusal that is over by itself says in its headers. */
export function addRetryAfter(reply: FastifyReply, { details }: AppError): void {
  if (typeof details.retryAfterS === 'number') reply.header('retry-after', details.retryAfterS);
}
