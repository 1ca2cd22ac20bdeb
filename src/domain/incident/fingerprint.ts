import { createHash } from 'node:crypto';

/** What two incidents share that are one thing happening again. */
export interface Alike {
  agent: string;
  tool: string | null;
  /** Null while it is not classified: those join one another until somebody says what they are. */
  mechanism: string | null;
  segment: string | null;
}

/** One line for (agent, tool, mechanism, segment); null where no tool is known, which is like nothing else. */
export const fingerprintOf = ({ agent, tool, mechanism, segment }: Alike): string | null =>
  tool === null ? null : JSON.stringify([agent, tool, mechanism ?? 'unclassified', segment ?? 'default']);

const ONE_IN = 5;

/** Whether an incident is classified by a second person too: one in five, by a hash of its id. */
export const isClassifiedTwice = (id: string): boolean =>
  (createHash('sha256').update(id).digest()[0] ?? 0) % ONE_IN === 0;
