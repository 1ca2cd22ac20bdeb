export { type Random, randomFrom as seeded } from '../../src/domain/evidence/forecast.ts';

/** Letters a and b in no order, the same each time. */
export function shuffledLetters(length: number): string {
  let state = 1;
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state;
  };
  return Array.from({ length }, () => (next() & 65_536 ? 'a' : 'b')).join('');
}
