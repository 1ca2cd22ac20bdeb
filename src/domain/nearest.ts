import { distance } from 'fastest-levenshtein';

const DISTANCE_MAX = 3;
const NAME_LENGTH_MAX = 64;
/** Longer ones are slips, not short forms. */
const SHORT_LENGTH_MAX = 5;

/** The known names most like `name`, best first; none when nothing is like it. */
export function nearest(name: string, known: Iterable<string>, count = 1): string[] {
  const limit = Math.min(DISTANCE_MAX, Math.max(1, Math.floor(name.length / 2)));
  const wanted = name.toLowerCase();
  return [...known]
    .map((candidate) => ({ candidate, far: likeness(wanted, candidate.toLowerCase()) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** `Did you mean "x"?`, or else the names there are. */
export function suggest(name: string, known: Iterable<string>): string {
  const names = [...known];
  const [best] = nearest(name, names);
  if (best !== undefined) return `did you mean "${best}"?`;
  if (names.length === 0) return 'there is none yet';
  const shown = names.slice(0, 8).join(', ');
  return `known: ${shown}${names.length > 8 ? ', ...' : ''}`;
}

function likeness(a: string, b: string): number {
  if (a.length > NAME_LENGTH_MAX || b.length > NAME_LENGTH_MAX) return Number.POSITIVE_INFINITY;
  if ((a.length > 3 && b.includes(a)) || isShortened(a, b)) return 1;
  return distance(a, b);
}

/** `grp` for `group`: the same letters in the same order, with some left out. */
function isShortened(short: string, long: string): boolean {
  if (short.length < 3 || short.length > SHORT_LENGTH_MAX) return false;
  if (short.length >= long.length || short[0] !== long[0]) return false;
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length;
}
