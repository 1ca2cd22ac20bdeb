/**
 * A value as the log wants it: integers stay, other figures become strings, so that their bytes never vary. The text of a
 * number is the shortest that reads back as the same one.
 */
export function figures(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(figures);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, figures(member)]));
}
