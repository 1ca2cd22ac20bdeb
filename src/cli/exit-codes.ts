import type { ErrorCode } from '../errors.ts';
import { WIDTH, wrap } from './text/render.ts';

const HELP_INDENT = 5;

/** Every exit code, what it means, and what a script may do about it. */
export const EXIT_CODES = {
  ok: { code: 0, means: 'done', thenDo: 'go on' },
  refused: {
    code: 1,
    means: 'refused by a rule, or in the wrong state for it; doctor: a check failed',
    thenDo: 'read the reason; the same command will be refused again',
  },
  usage: {
    code: 2,
    means: 'wrong usage or bad input; also a question that nobody is there to answer',
    thenDo: 'mend the command, the file or the environment',
  },
  'not-allowed': {
    code: 3,
    means: 'no token, a token that is not valid, or one that may not do this',
    thenDo: 'use another token',
  },
  unreachable: {
    code: 4,
    means: 'the service, its database or a part it needs does not answer or failed',
    thenDo: 'try again later; portcullis doctor says what is wrong',
  },
  unverified: {
    code: 5,
    means: 'the log or a receipt does not verify',
    thenDo: 'keep a copy, find out who changed it',
  },
  unfinished: {
    code: 6,
    means:
      'begun, not finished: disable is still closing or begun writes may still land, an asked action waits for a person, everything needs a second person to enable',
    thenDo: 'wait, or do what is named',
  },
} as const satisfies Record<string, { code: number; means: string; thenDo: string }>;

export type ExitName = keyof typeof EXIT_CODES;

/** The exit code of every error of the service. */
export const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitName>> = {
  invalid_input: 'usage',
  args_not_exact: 'usage',
  manifest_invalid: 'usage',
  body_too_large: 'usage',
  unauthenticated: 'not-allowed',
  forbidden: 'not-allowed',
  host_unknown: 'usage',
  not_found: 'usage',
  unknown_agent: 'usage',
  idempotency_conflict: 'refused',
  not_pending: 'refused',
  not_eligible: 'not-allowed',
  reason_needed: 'usage',
  group_stale: 'unreachable',
  already_decided: 'refused',
  seen_outdated: 'refused',
  not_approved: 'refused',
  args_changed: 'refused',
  already_begun: 'refused',
  stopped: 'refused',
  limit_reached: 'refused',
  too_late: 'refused',
  wrong_state: 'refused',
  review_due: 'refused',
  conflict: 'refused',
  preflight_failed: 'refused',
  gate_not_ready: 'refused',
  store_down: 'unreachable',
  store_slow: 'unreachable',
  slack_down: 'unreachable',
  temporal_down: 'unreachable',
  too_many_streams: 'unreachable',
  overloaded: 'unreachable',
  rate_limited: 'unreachable',
  data_folder_in_use: 'refused',
  address_taken: 'refused',
  config_invalid: 'usage',
  setup_failed: 'unreachable',
  internal: 'unreachable',
};

export const exitNumber = (name: ExitName): number => EXIT_CODES[name].code;

/** The lines of `--help`. */
export const exitCodeHelp = (): string =>
  Object.values(EXIT_CODES)
    .map(
      ({ code, means }) =>
        `  ${code}  ${wrap(means, WIDTH - HELP_INDENT).join(`\n${' '.repeat(HELP_INDENT)}`)}`,
    )
    .join('\n');

/** The page that explains them: generated, see docs.ts. */
export function exitCodesPage(): string {
  const rows = Object.values(EXIT_CODES).map(
    ({ code, means, thenDo }) => `| ${code} | ${means} | ${thenDo} |`,
  );
  const byCode = Object.entries(EXIT_OF_ERROR)
    .map(([error, name]) => ({ error, code: exitNumber(name) }))
    .sort((a, b) => a.code - b.code || a.error.localeCompare(b.error))
    .map(({ error, code }) => `| ${code} | \`${error}\` |`);
  return `# Exit codes of \`portcullis\`

Every command ends with one of these. What went wrong is on standard error: for people, or with \`--output json\` as one
JSON object \`{"error": {"message", "hint", "code", "exit", "details"}}\`.

| code | means | what to do |
|---|---|---|
${rows.join('\n')}

An action that is asked and waits for a person is 6 and not 0, so that \`portcullis action ask ... && write\` writes only
what is allowed.

## By the service's error code

| exit code | error |
|---|---|
${byCode.join('\n')}
`;
}
