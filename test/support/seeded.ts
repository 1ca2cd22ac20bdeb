/** Numbers from 0 to 1. */
export type Random = () => number;

/** mulberry32: a seeded generator, so that every run of a test sees the same streams. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Letters a and b in no order, the same each time. */
export function shuffledLetters(length: number): string {
  let state = 1;
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state;
  };
  return Array.from({ length }, () => (next() & 65_536 ? 'a' : 'b')).join('');
}
