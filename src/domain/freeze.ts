import { z } from 'zod';
import { wordsSchema } from './schema/words.ts';

const at = z.iso.datetime({ offset: true, precision: null }).or(z.iso.date());

/** A time in which nothing widens. A date alone is its first moment, UTC. */
export const freezeSchema = z
  .strictObject({
    from: at.describe('The moment it begins: 2026-12-20 or 2026-12-20T18:00:00+01:00'),
    to: at.describe('The moment it ends'),
    reason: wordsSchema.describe('Why, as everybody who waits is told'),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    path: ['to'],
    message: 'lies before "from": write a later moment',
  });

export type Freeze = z.infer<typeof freezeSchema>;

/** As everybody is told who waits for its end. */
export const freezeText = ({ to, reason }: Freeze): string => `a freeze until ${to}: ${reason}`;

/** The freeze that a moment lies in: of several the one that ends last. */
export function freezeAt(
  { freezes = [] }: { freezes?: readonly Freeze[] | undefined },
  now: Date,
): Freeze | undefined {
  const ms = now.getTime();
  const running = freezes.filter(({ from, to }) => Date.parse(from) <= ms && ms < Date.parse(to));
  return running.sort((one, other) => Date.parse(other.to) - Date.parse(one.to))[0];
}
