import { readFileSync } from 'node:fs';

/** All that the airline knows of the recording: who its customers are, and which calls its own tool refused. */
export interface AirlineRecords {
  /** Membership by customer. */
  tiers: ReadonlyMap<string, string>;
  /** `<episode>/<position>` of the calls that its tool refused. */
  refused: ReadonlySet<string>;
}

interface Line {
  episode: string;
  user_id: string;
  segment: string;
  calls: { error?: boolean }[];
}

/** Reads membership and `error` flags, and nothing else of a line. */
export function loadRecords(file: URL | string): AirlineRecords {
  const tiers = new Map<string, string>();
  const refused = new Set<string>();
  for (const text of readFileSync(file, 'utf8').trim().split('\n')) {
    const { episode, user_id, segment, calls } = JSON.parse(text) as Line;
    tiers.set(user_id, segment);
    for (const [index, { error }] of calls.entries()) if (error) refused.add(`${episode}/${index}`);
  }
  return { tiers, refused };
}
