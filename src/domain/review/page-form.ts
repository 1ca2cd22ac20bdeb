import type { Cell } from './weekly.ts';

export interface PageLine {
  text: string;
  /** Only where a verdict changed. */
  colour?: 'worse' | 'better';
  ref?: string;
}

export interface PageTable {
  head: string[];
  rows: { cells: string[]; colour?: 'worse' | 'better' }[];
}

export interface PageSection {
  title: string;
  lines: PageLine[];
  table?: PageTable;
}

/** The page of a week: the same parts in the same order every week. */
export interface ReviewPage {
  week: string;
  version: number;
  title: string;
  /** Of a week in which nothing needs anybody: what was checked, in one line. */
  quiet: string | null;
  sections: PageSection[];
  charts: Cell[];
}

export const WORDS_SHORT = 16;

/** At most so many words of what people wrote. */
export function short(text: string, words = WORDS_SHORT): string {
  const parts = text.split(/\s+/u).filter(Boolean);
  return parts.length <= words ? parts.join(' ') : `${parts.slice(0, words).join(' ')} …`;
}

/** Some of the lines, and how many more there are. */
export function some<T>(
  items: readonly T[],
  most: number,
  line: (item: T) => PageLine,
  none: string,
): PageLine[] {
  if (items.length === 0) return [{ text: none }];
  const more = items.length - most;
  return [...items.slice(0, most).map(line), ...(more > 0 ? [{ text: `and ${more} more` }] : [])];
}

export const day = (iso: string): string => iso.slice(0, 10);
export const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
export const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
