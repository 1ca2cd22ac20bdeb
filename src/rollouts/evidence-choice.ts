/**
 * What the next build's events are for: `anew`, the sample of the gates begins with it; `go-on`, it adds to the sample so
 * far. The evidence that takes a release back is of all builds either way.
 */
export const EVIDENCE = ['anew', 'go-on'] as const;
export type Evidence = (typeof EVIDENCE)[number];
