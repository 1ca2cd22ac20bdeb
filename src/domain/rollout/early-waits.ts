interface Exposed {
  segment: string;
  state: string;
  exposure: number;
  asks?: boolean;
}

/** What evidence short of a breach did to exposed segments: nothing widens until somebody eases it. */
export const earlyWaits = (segments: readonly Exposed[], planned: Readonly<Record<string, number>>) =>
  segments
    .filter(({ state }) => state === 'exposed')
    .flatMap(({ segment, exposure, asks }) => [
      ...(asks ? [waitFor(segment, 'made each write ask')] : []),
      ...(exposure < (planned[segment] ?? 0)
        ? [waitFor(segment, `took it back to ${exposure / 100} %`)]
        : []),
    ]);

const waitFor = (segment: string, what: string) => ({
  for: 'ease' as const,
  segment,
  detail: `${segment}: its evidence ${what} (rollout ease)`,
});
