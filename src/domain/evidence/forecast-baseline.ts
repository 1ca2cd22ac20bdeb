import { type BaselineCounts, lockedLimit, lockedMean } from './baseline.ts';

/** What the release in force is supposed to do of a metric in a segment, and on whose word. */
export interface Supposed {
  by: 'recorded' | 'given' | 'default';
  /** The rollout that recorded it. */
  rollout?: string;
  /** Of as many events as there may be: they are brought to those of the baseline that is played. */
  counts: Counts;
}

type Counts = Pick<BaselineCounts, 'events' | 'harms' | 'known' | 'values'>;

/** The baseline that a guardrail is played with in a segment. */
export interface ForecastBaseline extends Omit<Supposed, 'counts'> {
  /** Harm among its events; of a sum what it comes to in the mean. */
  level: number;
  /** Ripe events that it would be locked by. */
  events: number;
  /** Null: they do not suffice for one. */
  limit: number | null;
}

/** What a baseline is locked by: its ripe events, the margin, its part of alpha and, of a sum, the cap. */
interface Locking {
  events: number;
  margin: number;
  alpha: number;
  cap?: number;
}

/**
 * A level that somebody says as counts: of a sum each value is 0 or the cap, as it is played, for of all values with the same mean
 * these leave the widest limit.
 */
export const countsAt = (level: number, cap?: number): Counts => ({
  events: 1,
  harms: cap === undefined ? level : 0,
  known: 1,
  ...(cap !== undefined && { values: { sum: level, squares: level * cap, over: 0 } }),
});

/** The limit that a baseline with so many events would lock, if what is supposed came of them (STATISTICS 4.4). */
export function forecastBaseline(
  { counts, ...said }: Supposed,
  { events, margin, alpha, cap }: Locking,
): ForecastBaseline {
  const of = (count: number): number => (counts.events === 0 ? 0 : (count / counts.events) * events);
  const { sum, squares, over } = counts.values ?? { sum: 0, squares: 0, over: 0 };
  const known = Math.round(of(counts.known));
  const { limit } =
    cap === undefined
      ? lockedLimit({ events, harms: Math.round(of(counts.harms)), known }, margin, alpha)
      : lockedMean(
          {
            segment: '',
            metric: '',
            events,
            harms: 0,
            known,
            values: { sum: of(sum), squares: of(squares), over },
          },
          cap,
          margin,
          alpha,
        );
  const level = (cap === undefined ? counts.harms : sum) / Math.max(1, counts.events);
  return { ...said, level, events, limit: events === 0 ? null : limit };
}
