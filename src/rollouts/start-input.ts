import type { WaiverInput } from './suite-gate.ts';

/** What starts a rollout. */
export interface StartRolloutInput {
  agent: string;
  release: string;
  reason: string;
  /** Another one that is open ends, and this one takes its place; else it is refused. */
  supersede?: boolean;
  /** The agent has no regression case yet, and why: counts once for an agent that never had one. */
  noneYet?: string | undefined;
  /** Cases that need not be green for a while. */
  waivers?: readonly WaiverInput[] | undefined;
  /** Default: made from agent, release and a random part. Starting the same id again changes nothing. */
  id?: string;
}
