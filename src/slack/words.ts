import { z } from 'zod';
import { inline, label, link } from '../cards/blocks/mrkdwn.ts';
import { SlackFailure } from '../cards/posting/failure.ts';
import { isStoreDown, isStoreSlow } from '../db/failure.ts';
import { AppError } from '../errors.ts';

const MESSAGE_MAX = 1_500;
const INPUT_MESSAGE_MAX = 500;

/** What happened to what somebody pressed or typed, and what to do; plain text. */
interface Words {
  head: string;
  rest: string;
  /** Where it can be answered instead. */
  page?: string;
}

/** What to do about refusals where the general hint of their code would lead nowhere from Slack. */
const ADVICE: Readonly<Record<string, string>> = {
  not_from_slack: 'Sign in on its page and decide there. Denying works here, too',
  group_stale: 'portcullis doctor says what is wrong with their source. Denying works all the same',
  not_this_stage: 'You are asked when that stage comes',
  standing_forbidden: 'Approve this one alone',
  reason_needed: 'Choose "Approve with a reason" on its card',
};

/** What can be done on the page all the same. */
const ELSEWHERE = ['not_from_slack', 'slack_silent'];

/** What a failure means to the person who pressed or typed, escaped. */
export function wordsFor(error: unknown): string {
  const { head, rest, page } = wordsOf(error);
  const more = page === undefined ? '' : ` ${link(page, 'Open its page')}.`;
  return `*${head}* ${inline(rest, MESSAGE_MAX)}${more}`;
}

/** The same for a place that knows no markup, such as the error under an input of a modal. */
export function plainWordsFor(error: unknown): string {
  const { head, rest, page } = wordsOf(error);
  return label(`${head} ${rest}${page === undefined ? '' : ` ${page}`}`, INPUT_MESSAGE_MAX);
}

function wordsOf(error: unknown): Words {
  if (isStoreDown(error) || (error instanceof AppError && error.code === 'store_down')) {
    const rest =
      'The database does not answer, so nothing was counted. Try again in a moment; nothing runs meanwhile.';
    return { head: 'NOT recorded.', rest };
  }
  if (isStoreSlow(error) || (error instanceof AppError && error.code === 'store_slow')) {
    const rest =
      'The database took too long, so nothing was counted. Try again in a moment; nothing runs meanwhile.';
    return { head: 'NOT recorded.', rest };
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    const rest = 'This message is not one that this version understands. Open the page instead.';
    return { head: 'NOT recorded.', rest };
  }
  if (error instanceof SlackFailure) {
    return { head: 'NOT recorded.', rest: `Slack did not go along (${error.code}). Press it again.` };
  }
  if (!(error instanceof AppError)) {
    const rest =
      'As far as this service knows: something went wrong inside. Look at the card or the page, then try again.';
    return { head: 'NOT recorded.', rest };
  }
  return refusalWords(error);
}

function refusalWords({ code, message, details, spec }: AppError): Words {
  const because = typeof details.because === 'string' ? details.because : code;
  const hint = typeof details.hint === 'string' ? details.hint : spec.hint;
  const advice = code === 'forbidden' ? '' : ` ${ADVICE[because] ?? hint}.`;
  const page = ELSEWHERE.includes(because) && typeof details.page === 'string' ? details.page : undefined;
  return { head: 'Not counted.', rest: `${message}.${advice}`, ...(page ? { page } : {}) };
}
