/** How far two people who label the same incidents agree beyond what chance would give. */
export interface Agreement {
  pairs: number;
  agreed: number;
  /** Cohen's kappa, -1 to 1; null where there is nothing to compare or chance alone agrees always. */
  kappa: number | null;
}

/** Cohen (1960): (observed - expected) / (1 - expected), expected from the shares in which each of the two uses each label. */
export function agreementOf(pairs: readonly (readonly [first: string, second: string])[]): Agreement {
  const agreed = pairs.filter(([first, second]) => first === second).length;
  if (pairs.length === 0) return { pairs: 0, agreed: 0, kappa: null };
  const n = pairs.length;
  const count = (at: 0 | 1, label: string) => pairs.filter((pair) => pair[at] === label).length;
  const labels = [...new Set(pairs.flat())];
  const expected = labels.reduce((sum, label) => sum + (count(0, label) / n) * (count(1, label) / n), 0);
  return { pairs: n, agreed, kappa: expected === 1 ? null : (agreed / n - expected) / (1 - expected) };
}
