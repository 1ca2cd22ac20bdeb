import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '../errors.ts';

/** Of one body, at most. */
export const BODY_BYTES_MAX = 1_048_576;

/** What one process holds at once, at most. */
export interface BoundSizes {
  /** Questions that are being decided and recorded. */
  asks: number;
  /** Long polls. */
  polls: number;
  /** Event streams. */
  streams: number;
  /** Bytes of bodies whose request has not been answered. */
  bodyBytes: number;
}

/** What a machine with 1 GB for it holds; its heap is then about half full. */
export const BOUND_SIZES: BoundSizes = {
  asks: 2_000,
  polls: 10_000,
  streams: 1_000,
  bodyBytes: 64 * BODY_BYTES_MAX,
};

export type BoundName = keyof BoundSizes;

interface BoundSpec {
  /** A caller's share of it: one part in so many, and at least so much. */
  parts: number;
  least: number;
  code: ErrorCode;
  retryAfterS: number;
  /** "as many … as it takes" */
  what: string;
}

const BOUNDS: Readonly<Record<BoundName, BoundSpec>> = {
  asks: { parts: 4, least: 1, code: 'overloaded', retryAfterS: 1, what: 'questions under way' },
  polls: { parts: 4, least: 1, code: 'overloaded', retryAfterS: 1, what: 'long polls' },
  streams: { parts: 20, least: 1, code: 'too_many_streams', retryAfterS: 5, what: 'event streams' },
  bodyBytes: { parts: 4, least: BODY_BYTES_MAX, code: 'overloaded', retryAfterS: 1, what: 'bytes of bodies' },
};

/** One bound of a process, and each caller's share of it: no caller takes all. */
export class Bound {
  readonly most: number;
  readonly perCaller: number;
  readonly #spec: BoundSpec;
  readonly #refused: () => void;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(name: BoundName, most: number, refused: () => void) {
    this.#spec = BOUNDS[name];
    this.most = most;
    const { parts, least } = this.#spec;
    this.perCaller = Math.min(most, Math.max(least, Math.ceil(most / parts)));
    this.#refused = refused;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Holds so much of it for a caller, until what is returned is called; calling it again changes nothing.
   * @throws AppError `overloaded`, `too_many_streams`
   */
  take(caller: string, amount = 1): () => void {
    const held = this.#held.get(caller) ?? 0;
    const { what } = this.#spec;
    if (this.#total + amount > this.most) this.#refuse(`This process has as many ${what} as it takes`);
    if (held + amount > this.perCaller)
      this.#refuse(`This caller has ${held} of the ${this.perCaller} ${what} that one may have`);
    this.#total += amount;
    this.#held.set(caller, held + amount);
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      this.#total -= amount;
      const left = (this.#held.get(caller) ?? 0) - amount;
      if (left > 0) this.#held.set(caller, left);
      else this.#held.delete(caller);
    };
  }

  #refuse(why: string): never {
    this.#refused();
    const { code, retryAfterS } = this.#spec;
    throw new AppError(code, why, { retryAfterS });
  }
}

export type Bounds = Readonly<Record<BoundName, Bound>>;

/** The bounds of one process; `refused` is told whenever one of them refuses. */
export function createBounds(sizes: Partial<BoundSizes> = {}, refused: (name: BoundName) => void): Bounds {
  const all = { ...BOUND_SIZES, ...sizes };
  const one = (name: BoundName) => new Bound(name, all[name], () => refused(name));
  return {
    asks: one('asks'),
    polls: one('polls'),
    streams: one('streams'),
    bodyBytes: one('bodyBytes'),
  };
}

/** Holds the bytes of each body from before it is read until its request is answered, or its connection is gone. */
export function boundBodies(
  app: FastifyInstance,
  bound: Bound,
  callerOf: (request: FastifyRequest) => string,
): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const bytes = bytesOf(request);
    if (bytes > 0) untilClosed(reply.raw, bound.take(callerOf(request), bytes));
    done(null, payload);
  });
}

/** Gives it back when the answer is out or nobody waits for it any more. */
export function untilClosed(answer: ServerResponse, release: () => void): void {
  answer.once('finish', release).once('close', release);
  if (answer.destroyed) release();
}

/** What a request with a body takes besides, at least. */
const REQUEST_BYTES = 16_384;

/** Of a body that does not say how long it is, or what it unpacks to, the longest it may be. */
function bytesOf({ headers }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return BODY_BYTES_MAX;
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return BODY_BYTES_MAX;
  const said = Number(headers['content-length'] ?? 0) || 0;
  return said === 0 ? 0 : Math.min(Math.max(said, REQUEST_BYTES), BODY_BYTES_MAX);
}
