import type { ActionState } from '../domain/action.ts';
import type { DecisionReason } from './errors.ts';

export type { ActionState };

/** A credential for exactly one action; given out once, never stored. */
export interface Credential {
  token: string;
  jti: string;
  scopes: string[];
  audience: string;
  expiresAt: string;
}

/** An action as the service shows it to its agent: the part an agent needs. */
export interface Action {
  id: string;
  url: string;
  state: ActionState;
  outcome: 'allowed' | 'pending' | 'denied';
  decidedBy?: 'policy' | 'person';
  supersededBecause?: string;
  tool: string;
  kind: 'read' | 'write';
  segment?: string;
  arm: 'control' | 'candidate';
  release?: string;
  reasons: DecisionReason[];
  denyReason?: string;
  revision: number;
  /** `round`: how often people changed the arguments while it waited. */
  approval?: { round: number };
  execution?: { executionId: string; beganAt: string; startBy?: string };
}

/** An action that has begun; the tool must be called before `startBy`. */
export interface Begun extends Action {
  startBy: string;
  credential?: Credential;
  /** The arguments in force, when people changed them: use these and no others. */
  args?: Record<string, unknown>;
}

/** The answer to a question; begun already when that was asked for and policy allowed it. */
export interface Asked extends Action {
  repeated: boolean;
  startBy?: string;
  credential?: Credential;
}

/** What is asked before a tool is used. The same `idempotencyKey` is the same action. */
export interface Question {
  tool: string;
  args: Readonly<Record<string, unknown>>;
  subject: string;
  idempotencyKey: string;
  reason?: string;
  /** The agent's own claims; they may only lead to a stricter answer. */
  context?: Readonly<Record<string, unknown>>;
  /** A signed JWT with trusted attributes. */
  assertion?: string;
  /** Who prompted it, drives the agent or is acted for. */
  behind?: string | readonly string[];
  links?: readonly string[];
  /** Begins in the same round trip when policy allows it. */
  executionId?: string;
}

export interface Completion {
  executionId: string;
  ok: boolean;
  result?: unknown;
  /** A short code of the tool's own, never a message. */
  error?: string;
}

export interface Outcome {
  id: string;
  action: string;
  metric: string;
  value: number;
}
