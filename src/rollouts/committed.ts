/** What is said to be of a moment may be committed so long after it. */
export const COMMITTED_WITHIN_MS = 60_000;
