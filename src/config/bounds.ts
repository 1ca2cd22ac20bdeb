import { z } from 'zod';

const MEGABYTE = 1_048_576;
const MOST = 1_000_000;

/** The empty string is absent: compose files pass variables that are not set as ''. */
const bound = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z
    .string()
    .refine(
      (text) => /^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST,
      `must be a whole number from 1 to ${MOST}`,
    )
    .transform(Number)
    .optional(),
);

/** What one process holds at once. */
export const BOUND_VARIABLES = {
  PORTCULLIS_ASKS_MAX: bound,
  PORTCULLIS_LONG_POLLS_MAX: bound,
  PORTCULLIS_STREAMS_MAX: bound,
  PORTCULLIS_BODY_MB_MAX: bound,
};

/** The same where the environment says so; all else has its default. */
export interface ConfiguredBounds {
  asks?: number;
  polls?: number;
  streams?: number;
  bodyBytes?: number;
}

export function boundsOf(
  data: {
    readonly [K in keyof typeof BOUND_VARIABLES]?: number | undefined;
  },
): ConfiguredBounds {
  const {
    PORTCULLIS_ASKS_MAX: asks,
    PORTCULLIS_LONG_POLLS_MAX: polls,
    PORTCULLIS_STREAMS_MAX: streams,
  } = data;
  const megabytes = data.PORTCULLIS_BODY_MB_MAX;
  return {
    ...(asks !== undefined && { asks }),
    ...(polls !== undefined && { polls }),
    ...(streams !== undefined && { streams }),
    ...(megabytes !== undefined && { bodyBytes: megabytes * MEGABYTE }),
  };
}
