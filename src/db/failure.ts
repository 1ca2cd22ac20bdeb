import { AppError } from '../errors.ts';

const DOWN_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08003',
  '08006',
  '53100', // the disk is full: reads may go on, and nothing can be recorded
  '53300',
]);
const DOWN_TEXT =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** Whether an error means that the store did not answer, not that it refused. */
export function isStoreDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (DOWN_CODES.has(String((error as { code?: unknown }).code))) return true;
  if (DOWN_TEXT.test(error.message)) return true;
  return error.cause !== undefined && isStoreDown(error.cause);
}

/** Whether a connection was not to be had in time, from a server that may well be there. */
export const isConnectionLate = (error: unknown): boolean =>
  error instanceof Error && /connection timeout|timeout exceeded when trying to connect/.test(error.message);

const REFUSED_LOGIN = new Set(['28P01', '28000', '3D000']);

/**
 * Whether the store answers, and too late: a statement ran out of its time or waited too long for a lock, and what it was
 * part of had no effect.
 */
export function isStoreSlow(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isLockTaken(error) || (error as { code?: unknown }).code === '57014') return true;
  return error.cause !== undefined && isStoreSlow(error.cause);
}

/** Whether a statement gave up waiting for a lock, or was ended because two waited for each other. */
export const isLockTaken = (error: unknown): boolean =>
  error instanceof Error && ['55P03', '40P01'].includes(String((error as { code?: unknown }).code));

/** Why there is no database to speak to at an address, in words; `undefined`: that is not what the error says. */
export function whyAbsent(error: unknown): string | undefined {
  const [one] = error instanceof AggregateError ? error.errors : [error];
  const { code } = one as { code?: unknown };
  const absent =
    typeof code === 'string'
      ? REFUSED_LOGIN.has(code) || /^E[A-Z]+$/.test(code)
      : one instanceof Error && /timeout|Connection terminated/.test(one.message);
  if (!absent) return undefined;
  return one instanceof Error && one.message !== '' ? one.message : String(code);
}

/** A database that is away, by the variable that names it; `undefined`: what is wrong is inside it. */
export function absentStore(error: unknown, address: string): AppError | undefined {
  const why = whyAbsent(error);
  if (why === undefined) return undefined;
  const mend =
    'Set DATABASE_URL to a Postgres that runs, or unset it: then one of its own is started in the data folder';
  const message = `Cannot start: the database ${address} does not answer: ${why}. ${mend}`;
  return new AppError('setup_failed', message, {}, { cause: error });
}

/** Whether a statement gave up waiting for the gate or ran out of its time. */
export const isGateBusy = (error: unknown): boolean =>
  error instanceof Error && ['55P03', '57014'].includes(String((error as { code?: unknown }).code));

/** Whether a statement gave up waiting for a lock: nothing but the gate, and a begin under it, is waited for in haste. */
export const isGateHeld = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === '55P03';

const DEADLOCK = '40P01';
const DEADLOCK_RETRIES = 5;

/** Repeats a whole transaction that the store ended because two waited for each other; it had no effect. */
export async function withoutDeadlock<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK || attempt >= DEADLOCK_RETRIES) throw error;
    }
  }
}
