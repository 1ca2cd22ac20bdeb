/** How long so many more events take, where it is known how many come. */
export function daysFor(
  needed: number | undefined,
  perDay: number | undefined,
): { days?: { days: number }; text: string } {
  if (needed === undefined || perDay === undefined) return { text: '' };
  if (perDay === 0) return { text: ': none came lately' };
  const days = Math.ceil(needed / perDay);
  const pace = Number(perDay.toPrecision(2));
  return { days: { days }, text: `: about ${days} ${days === 1 ? 'day' : 'days'} at ${pace} a day` };
}
