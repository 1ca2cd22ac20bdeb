/** Of what is put before people, at most so much is there by chance, on average. */
export const FALSE_SHARE = 0.1;

/**
 * What people look at first: e-BH over the e-values of one moment, the k largest where the k-th is at least K/(share·k), for
 * the largest such k of all K (STATISTICS 4.5; Wang and Ramdas, arXiv:2009.02824). At most `share` of them are there by
 * chance, on average, however they depend on each other. Never what is taken back by itself: of running maxima it does not
 * hold. `all` is K: those that have no e-value yet count too. The largest first.
 */
export function reviewQueue<Item extends { logE: number }>(
  items: readonly Item[],
  share: number,
  all: number,
): Item[] {
  const falling = [...items].sort((one, other) => other.logE - one.logE);
  const enough = (k: number): number => Math.log(all / (share * k));
  let last = 0;
  for (const [at, { logE }] of falling.entries()) if (logE >= enough(at + 1)) last = at + 1;
  return falling.slice(0, last);
}
