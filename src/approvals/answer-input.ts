import type { Verdict } from '../domain/approval/approval.ts';
import type { ActionRow } from '../records/action.ts';
import type { StandingApprovalInput } from './standing/wish.ts';

/** A person's answer to one action, on what they saw of it. */
export interface AnswerInput {
  id: string;
  verdict: Verdict;
  /** Digest of the arguments and revision of the action as shown; another one means they saw something else. */
  digest?: string;
  revision?: number;
  reason?: string;
  /** When the surface received the click; lateness is judged by it. */
  receivedAt?: Date;
  /** The version of the card that was clicked: what it said goes into the receipt. */
  cardVersion?: number;
  /** One of several that are answered together: what approves more than itself is refused. */
  together?: boolean;
  /** Approve alone, loudly, in an emergency. */
  breakGlass?: boolean;
  /** Approve the like for a while, too. */
  standing?: StandingApprovalInput;
}

/** `counted: false` is a repetition of the same answer by the same person. */
export interface Answered {
  action: ActionRow;
  counted: boolean;
}
