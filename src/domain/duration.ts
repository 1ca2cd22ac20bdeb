/** A duration as people write it: `500ms`, `30s`, `10m`, `2h`, `15d`, `1.5d`. */
export type Duration = string;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
export const REAL_DAY_MS = 86_400_000;

export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** The shortest text whose duration is exactly this; days are not used, they may be scaled. */
export function exactDuration(ms: number): Duration {
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, unitMs] = units.find(([, one]) => ms % one === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** Whether a text is a duration from `least` to `most`, with days of 24 hours. */
export const isDurationBetween = (text: string, least: Duration, most: Duration): boolean =>
  DURATION_PATTERN.test(text) &&
  durationMs(text) >= durationMs(least) &&
  durationMs(text) <= durationMs(most);

/**
 * Milliseconds of `duration`. Only durations written in `d` follow `dayMs` (`PORTCULLIS_DAY`); seconds,
 * minutes and hours are always real.
 * @throws RangeError when the text is not a duration.
 */
export function durationMs(duration: Duration, dayMs: number = REAL_DAY_MS): number {
  const match = DURATION_PATTERN.exec(duration);
  if (!match) throw new RangeError(`"${duration}" is not a duration: write a number and ms, s, m, h or d`);
  const [, amount, unit] = match;
  const unitMs = unit === 'd' ? dayMs : UNIT_MS[unit as keyof typeof UNIT_MS];
  return Math.round(Number(amount) * unitMs);
}

/** `12 min`, at least one unit of what matters at that size. */
export function spanWords(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / REAL_DAY_MS)} days`;
}
