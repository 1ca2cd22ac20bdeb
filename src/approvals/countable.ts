import type { StandingWish } from '../db/tables-action.ts';
import type { Right } from '../domain/approval/approval.ts';
import type { AnswerInput } from './answer-input.ts';
import type { ToDecide } from './to-answer.ts';

/** One answer that may be counted: everything about it has been checked. */
export interface Countable {
  person: string;
  known: ToDecide;
  right: Right;
  input: AnswerInput;
  standingWish: StandingWish | undefined;
}
