/** The smallest whole number from 0 to `most` that suffices, by doubling, then bisection; `most` where none does. */
export function least(suffices: (n: number) => boolean, most: number): number {
  if (suffices(0)) return 0;
  let short = 0;
  let enough = 1;
  while (enough < most && !suffices(enough)) {
    short = enough;
    enough = Math.min(enough * 2, most);
  }
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (suffices(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}
