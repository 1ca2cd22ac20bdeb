import { figure as digits } from '../rates.ts';

/**
 * One figure with all that it is made of. What is not known is said in `unknown` and never counted as 0: with it the value is
 * a lower bound, and null where nothing is known at all.
 */
export interface Figure {
  name: string;
  value: number | null;
  unit: string;
  /** In words, with every number that entered. */
  inputs: string[];
  unknown: string[];
  /** What a technician would look at instead, beside it. */
  signal: string;
}

export const shareText = (part: number, of: number): string =>
  of === 0 ? `${part} of 0` : `${part} of ${of} (${digits((part / of) * 100)} %)`;

export const minutesOf = (ms: number): number => ms / 60_000;

/** "12.3 minutes per 100 writes", "at least …" where something is not known, "unknown". */
export function figureText({ value, unit, unknown }: Pick<Figure, 'value' | 'unit' | 'unknown'>): string {
  if (value === null) return 'unknown';
  const text = unit === 'share' ? `${digits(value * 100)} %` : `${digits(value)} ${unit}`;
  return unknown.length > 0 ? `at least ${text}` : text;
}

export const plural = (count: number, one: string): string =>
  `${digits(count)} ${count === 1 ? one : `${one}s`}`;
