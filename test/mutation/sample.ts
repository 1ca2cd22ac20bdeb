import { createHash } from 'node:crypto';
import type { Mutant } from './instrument.ts';

const seed = process.env.MUTATE_SEED ?? '1';
const parts = (process.env.MUTATE ?? '').split(',');
const most = Number(process.env.MUTATE_SAMPLE ?? Number.POSITIVE_INFINITY);

/**
 * Which are tried: those that `MUTATE` names (parts of paths, names of SQL functions, commas between), and of these as many
 * as `MUTATE_SAMPLE` says. The same seed draws the same changes, and what else was changed in the code does not matter.
 */
export function chosen<T extends Mutant>(mutants: readonly T[]): { tried: T[]; words: string } {
  const named = mutants.filter(({ file, name }) =>
    parts.some((part) => file.includes(part) || part === name),
  );
  const tried = named
    .map((mutant) => ({ mutant, lot: lotOf(mutant) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .slice(0, most)
    .map(({ mutant }) => mutant)
    .sort((a, b) => a.id - b.id);
  return { tried, words: tried.length < named.length ? `drawn from ${named.length}, seed ${seed}` : 'all' };
}

const lotOf = ({ file, from, to, id }: Mutant): string =>
  createHash('sha256')
    .update(JSON.stringify([seed, file, from, to]))
    .digest('hex') + String(id).padStart(9, '0');
