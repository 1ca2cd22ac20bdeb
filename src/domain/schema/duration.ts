import { z } from 'zod';
import { DURATION_PATTERN, type Duration, isDurationBetween } from '../duration.ts';

export const durationSchema = z.string().regex(DURATION_PATTERN, 'write a number and ms, s, m, h or d');

/** A duration that something can be done with: neither no time nor for ever. */
export const durationBetween = (least: Duration, most: Duration) =>
  durationSchema.refine(
    (text) => isDurationBetween(text, least, most),
    `write a duration from ${least} to ${most}`,
  );
