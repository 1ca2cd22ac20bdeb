/** What was seen of a segment whose arms are not as assigned, what usually causes it, and what settles it. */
export const mismatchText = (segment: string, seen: string): string =>
  `${segment}: ${seen}: its arms are not as assigned, so comparing them is worth nothing. Usually the agent chooses its subjects or changes their ids between calls, one arm fails before it asks, or what it asks does not arrive. Mend that, then roll the segment back and reenter or exclude it`;
