/**
 * What a ratio comes to, in words: "0.31 EUR per case". Its unit should say both parts; of one that says only what is spent, what
 * was done for it is called that. `null`: nothing was.
 */
export function ratioText(figure: string | null, unit: string | undefined): string {
  if (figure === null) return 'spent, and nothing done for it,';
  if (unit !== undefined && /(^|\s)per\s+\S|\S\/\S/.test(unit)) return `${figure} ${unit}`;
  return `${figure}${unit ? ` ${unit}` : ''} for each one done`;
}
