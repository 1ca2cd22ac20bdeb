/** Whoever goes through the log from somewhere on. */
export interface LogReader {
  /** The number of the last entry that it knows. */
  after: number;
  /** The turn in which it was served last. */
  servedIn: number;
}

export interface LogPage<T extends LogReader> {
  /** Read the entries above this number. */
  from: number;
  readers: T[];
}

/**
 * Which pages of the log to read in this turn, at most `most`, and for whom: those first that were served longest ago.
 * Whoever stands inside a page that is read takes what of it is new; nobody waits until others have come as far.
 */
export function fairPages<T extends LogReader>(
  readers: readonly T[],
  page: number,
  most: number,
): LogPage<T>[] {
  let waiting = [...readers].sort((a, b) => a.servedIn - b.servedIn || a.after - b.after);
  const pages: LogPage<T>[] = [];
  while (pages.length < most) {
    const [first] = waiting;
    if (first === undefined) break;
    const from = first.after;
    const isInside = ({ after }: T) => after >= from && after < from + page;
    pages.push({ from, readers: waiting.filter(isInside) });
    waiting = waiting.filter((reader) => !isInside(reader));
  }
  return pages;
}
