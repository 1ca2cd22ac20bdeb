/** What one kind of failure means to every surface. */
export interface ErrorSpec {
  http: number;
  /** Whether the same request may succeed later unchanged. */
  retry: boolean;
  hint: string;
}

/** The one catalog; HTTP, Slack, the CLI's exit codes and `docs/errors.md` derive from it. */
export const ERRORS = {
  invalid_input: { http: 400, retry: false, hint: 'Mend what is listed and send it again' },
  args_not_exact: {
    http: 400,
    retry: false,
    hint: 'Send exact JSON: no duplicate keys, no integers beyond 2^53-1',
  },
  manifest_invalid: { http: 422, retry: false, hint: 'Mend the lines that are named' },
  body_too_large: { http: 413, retry: false, hint: 'Send at most 1 MiB; put large content behind a link' },
  unauthenticated: {
    http: 401,
    retry: false,
    hint: 'Send "Authorization: Bearer <token>"; see portcullis token create',
  },
  forbidden: { http: 403, retry: false, hint: 'Use a token that has the role' },
  host_unknown: {
    http: 421,
    retry: false,
    hint: 'Use the address of PORTCULLIS_PUBLIC_URL, or add the name to PORTCULLIS_ALLOWED_HOSTS of the service',
  },
  not_found: { http: 404, retry: false, hint: 'Check the name or id' },
  unknown_agent: { http: 404, retry: false, hint: 'Apply its manifest first: portcullis apply agent.yaml' },
  idempotency_conflict: { http: 409, retry: false, hint: 'Use a new idempotencyKey for another question' },
  not_pending: { http: 409, retry: false, hint: 'Look at the action: somebody or something was there first' },
  not_eligible: {
    http: 403,
    retry: false,
    hint: 'Ask somebody of the approver group who does not stand behind the agent',
  },
  reason_needed: { http: 422, retry: false, hint: 'Say why, then approve' },
  group_stale: {
    http: 503,
    retry: true,
    hint: 'The members of an approver group could not be read for too long: mend its source, see portcullis doctor',
  },
  already_decided: { http: 409, retry: false, hint: 'A person decides once' },
  seen_outdated: { http: 409, retry: false, hint: 'Look at the action again, then decide' },
  not_approved: { http: 409, retry: false, hint: 'Wait for the approval, then begin' },
  args_changed: {
    http: 409,
    retry: false,
    hint: 'Begin again with the round that is named, and use the arguments it answers',
  },
  already_begun: { http: 409, retry: false, hint: 'An approval is used once: ask again for another write' },
  stopped: {
    http: 409,
    retry: false,
    hint: 'The switch is off or the permission was taken back; ask again later',
  },
  limit_reached: { http: 429, retry: true, hint: 'Wait for the next period or ask for a higher limit' },
  too_late: { http: 409, retry: false, hint: 'The time to start is over: ask again' },
  wrong_state: { http: 409, retry: false, hint: 'Look at the current state' },
  conflict: { http: 409, retry: true, hint: 'Read it again and repeat' },
  review_due: {
    http: 409,
    retry: false,
    hint: 'Write the review of the cycle that ended: portcullis reviews cycle write',
  },
  preflight_failed: { http: 422, retry: false, hint: 'Mend what is listed, then start again' },
  gate_not_ready: { http: 409, retry: false, hint: 'See what the step still waits for' },
  store_down: {
    http: 503,
    retry: true,
    hint: 'The database does not answer: nothing was recorded, try again',
  },
  store_slow: {
    http: 503,
    retry: true,
    hint: 'The database answers, but took too long: nothing was recorded, try again. If it stays so, see docs/operations.md (slow)',
  },
  slack_down: {
    http: 503,
    retry: true,
    hint: 'Try again in a moment; the page and the CLI need no Slack',
  },
  temporal_down: {
    http: 503,
    retry: true,
    hint: 'Decisions still count; cards and rollouts follow when it is back',
  },
  too_many_streams: {
    http: 503,
    retry: true,
    hint: 'Connect again after Retry-After, with Last-Event-ID; follow more with one stream, or raise PORTCULLIS_STREAMS_MAX',
  },
  overloaded: {
    http: 503,
    retry: true,
    hint: 'Repeat it after Retry-After; where the machine has room, raise the bound: PORTCULLIS_ASKS_MAX, PORTCULLIS_LONG_POLLS_MAX, PORTCULLIS_BODY_MB_MAX',
  },
  rate_limited: { http: 429, retry: true, hint: 'Send fewer requests a second' },
  data_folder_in_use: {
    http: 500,
    retry: false,
    hint: 'Stop the other process or use another PORTCULLIS_DATA',
  },
  address_taken: {
    http: 500,
    retry: false,
    hint: 'Set PORTCULLIS_PORT (or --port) to a free one; 0 takes any',
  },
  config_invalid: { http: 500, retry: false, hint: 'Mend the environment variables that are named' },
  setup_failed: { http: 500, retry: false, hint: 'See the remedies in the message' },
  internal: { http: 500, retry: false, hint: 'See the service log under the instance id' },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** The one error of the service: a stable code, what was tried and what was found; `details` are machine-readable. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }
}
