import { type ActionState, STATE_OF } from '../domain/action.ts';
import type { Outcome } from '../domain/decision.ts';

/** The first word of the kinds that are events; everything else in the log is read there. */
export const EVENT_TOPICS = [
  'action',
  'approval',
  'follow_up',
  'incident',
  'receipt',
  'rollout',
  'standing_approval',
  'switch',
] as const;

/** One numbered entry of the log, as stored. */
export interface StoredEvent {
  seq: number;
  kind: string;
  agent: string | null;
  ref: string | null;
  /** RFC 8785 JSON. */
  body: string;
}

/** Which events somebody follows; what is not given is not restricted. */
export interface EventFilter {
  /** What concerns this agent, everything that concerns all agents included. */
  agent?: string;
  action?: string;
  /** Whole kinds, or their first words: `action.denied`, `switch`. */
  kinds?: readonly string[];
}

/** One thing that happened, in the order of the log. The last three are for those who may read the log. */
export interface PortcullisEvent {
  /** Its number in the log: go on after it. */
  seq: number;
  at: string;
  kind: string;
  agent?: string;
  /** The action it is about, the state that it is in since, and the revision of its record. */
  action?: string;
  state?: ActionState;
  revision?: number;
  ref?: string;
  actor?: string;
  data?: Record<string, unknown>;
}

/** Whether a kind is named by one of `kinds`, whole or by its first word. */
const isNamed = (kind: string, kinds: readonly string[]): boolean =>
  kinds.some((name) => kind === name || kind.startsWith(`${name}.`));

/** Whether the follower asked for it. */
export function isWanted({ agent, action, kinds }: EventFilter, event: StoredEvent): boolean {
  if (agent !== undefined && event.agent !== null && event.agent !== agent) return false;
  if (action !== undefined && event.ref !== action) return false;
  return kinds === undefined || isNamed(event.kind, kinds);
}

/** The event as it is sent: `whole` to those who may read the log, without reasons and people to all others. */
export function eventOf({ seq, kind, body }: StoredEvent, whole: boolean): PortcullisEvent {
  const { at, agent, ref, actor, data = {} } = JSON.parse(body) as LoggedBody;
  const event: PortcullisEvent = { seq, at, kind, agent, ...(kind.startsWith('action.') ? about(data) : {}) };
  if (kind.startsWith('action.')) event.action = ref;
  return whole ? { ...event, ref, actor, data } : event;
}

interface LoggedBody {
  at: string;
  agent?: string;
  ref?: string;
  actor: string;
  data?: Record<string, unknown>;
}

function about({
  to,
  revision,
  outcome,
}: Record<string, unknown>): Pick<PortcullisEvent, 'state' | 'revision'> {
  if (typeof to === 'string') return { state: to as ActionState, revision: Number(revision) };
  return typeof outcome === 'string' ? { state: STATE_OF[outcome as Outcome], revision: 1 } : {};
}
