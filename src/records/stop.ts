export interface DisableInput {
  scope: string;
  reason: string;
  /** Stops reads too. */
  reads?: boolean;
}

export interface InFlight {
  action: string;
  agent: string;
  tool: string;
  summary: string;
  begunAt: string;
}

/**
 * `closed`: no write covered by the scope begins any more; those `inFlight` had begun and may still land.
 * `closing`: none but those named in `heldBy`; the service goes on closing.
 */
export interface DisableAnswer {
  state: 'closed' | 'closing';
  scope: string;
  epoch?: number;
  offAtMs: number;
  /** What waited and was ended; absent while that still goes on. */
  voided?: number;
  inFlight: InFlight[];
  heldBy: { pid: number; what: string }[];
  credentialsUntil?: string;
  failoverSafe: boolean;
}
