import { z } from 'zod';
import { isStoreDown } from '../db/failure.ts';
import { AppError } from '../errors.ts';
import { inline } from './mrkdwn.ts';

const MESSAGE_MAX = 1_500;

/** What a failure means to the person who pressed or typed: what happened to it, and what to do. Escaped. */
export function wordsFor(error: unknown): string {
  if (isStoreDown(error) || (error instanceof AppError && error.code === 'store_down')) {
    return '*NOT recorded.* The database does not answer, so nothing was counted. Try again in a moment; nothing runs meanwhile.';
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return '*NOT recorded.* This message is not one that this version understands. Open the page instead.';
  }
  if (!(error instanceof AppError)) {
    return '*NOT recorded*, as far as this service knows: something went wrong inside. Look at the card or the page, then try again.';
  }
  const { hint } = error.spec;
  const advice = error.code === 'forbidden' ? '' : ` ${hint}.`;
  return `*Not counted.* ${inline(error.message, MESSAGE_MAX)}.${advice}`;
}
