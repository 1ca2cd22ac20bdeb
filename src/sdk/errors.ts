import type { DeniedState } from '../domain/action.ts';
import { supersededWords } from '../domain/words.ts';

export type { DeniedState };

/** Why policy answered as it did. */
export interface DecisionReason {
  code: string;
  message: string;
  hint?: string;
}

export interface DeniedFacts {
  state: DeniedState;
  actionId?: string;
  /** Who said no; of what expired: who had approved it. */
  decidedBy?: 'policy' | 'person';
  /** The person's own words; only with `state` `denied`, `decidedBy` `person`. */
  personReason?: string;
  /** Why, in a code: what superseded it, e.g. `rolled_back`, or why it could not begin. */
  because?: string;
  reasons?: readonly DecisionReason[];
}

/** The action may not be done: nothing was begun. `state` says which of the five it is. */
export class Denied extends Error {
  readonly state: DeniedState;
  readonly actionId?: string;
  readonly decidedBy?: 'policy' | 'person';
  readonly personReason?: string;
  readonly because?: string;
  readonly reasons: readonly DecisionReason[];

  constructor(facts: DeniedFacts) {
    super(messageOf(facts));
    this.name = 'Denied';
    this.state = facts.state;
    this.actionId = facts.actionId;
    this.decidedBy = facts.decidedBy;
    this.personReason = facts.personReason;
    this.because = facts.because;
    this.reasons = facts.reasons ?? [];
  }

  /** Stopped, not judged: by the switch, or because what was in force changed. The same may be asked anew later. */
  get stopped(): boolean {
    const byPolicy = this.reasons.some((reason) => reason.code === 'switched_off');
    return this.state === 'disabled' || this.state === 'superseded' || byPolicy;
  }
}

function messageOf({ state, decidedBy, personReason, because, reasons }: DeniedFacts): string {
  switch (state) {
    case 'denied':
      if (decidedBy === 'person') return `Denied by a person${personReason ? `: ${personReason}` : ''}`;
      return `Denied by policy: ${(reasons ?? []).map(({ message }) => message).join('; ') || 'no reason given'}`;
    case 'expired':
      return decidedBy === undefined && because === undefined
        ? 'Expired: nobody decided in time, which is no denial'
        : 'Expired: it was not begun in time';
    case 'withdrawn':
      return 'Withdrawn: the question was taken back';
    case 'superseded':
      return `Superseded${because ? ` (${because})` : ''}: ${supersededWords(because)}`;
    case 'disabled':
      return 'Disabled: the switch is off';
  }
}

/** It was begun, but the time to start it was over before the tool was called: the tool was not called. */
export class TooLate extends Error {
  readonly actionId: string;

  constructor(actionId: string) {
    super(`Too late: the time to start action ${actionId} was over before the tool was called`);
    this.name = 'TooLate';
    this.actionId = actionId;
  }
}

export interface ProblemFacts {
  code: string;
  status: number;
  detail: string;
  hint?: string;
  details?: Readonly<Record<string, unknown>>;
}

/** The service refused the request or could not be reached (`unreachable`); `code` is stable. */
export class PortcullisError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint?: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor({ code, status, detail, hint, details }: ProblemFacts, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'PortcullisError';
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.details = details ?? {};
  }
}
