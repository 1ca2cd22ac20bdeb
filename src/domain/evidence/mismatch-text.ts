/** What was seen of a segment whose arms are not as assigned, what usually causes it, and what settles it. */
export const mismatchText = (segment: string, seen: string): string =>
  `${segment}: ${seen}: its arms are not as assigned, so comparing them is worth nothing. Usually one arm fails before it asks, what it asks does not arrive, or the ids of subjects depend on what was answered. Mend that, then roll the segment back and reenter or exclude it`;
