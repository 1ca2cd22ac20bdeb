/** One open question and how often it was brought to mind already. Times are epoch milliseconds. */
export interface Reminding {
  askedAtMs: number;
  expiresAtMs: number;
  /** The wait before the first reminder; each later wait is twice the one before. */
  firstMs: number;
  sent: number;
}

export const REMINDERS_MAX = 6;
const QUIET_SHARE = 10;

/**
 * When the next reminder is due, in epoch milliseconds: `firstMs` after asking, then 2, 4, 8 ... times that after the
 * one before. None in the last tenth of the time there is, where nobody could act on it any more, and at most
 * `REMINDERS_MAX`. May lie in the past when nothing was sent for long.
 */
export function nextReminder({ askedAtMs, expiresAtMs, firstMs, sent }: Reminding): number | undefined {
  if (!(firstMs > 0) || sent >= REMINDERS_MAX) return undefined;
  const dueMs = askedAtMs + firstMs * (2 ** (sent + 1) - 1);
  const quietFromMs = expiresAtMs - (expiresAtMs - askedAtMs) / QUIET_SHARE;
  return dueMs < quietFromMs ? dueMs : undefined;
}
