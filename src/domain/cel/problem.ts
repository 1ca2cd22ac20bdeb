/** What is wrong with a condition, and where in its text. */
export interface ConditionProblem {
  message: string;
  hint: string;
  range: { start: number; end: number };
}
