import type { Role } from '../../../src/actor.ts';
import type { Row } from './role-matrix.ts';

const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];
const OWNERS: readonly Role[] = ['approver', 'release-manager'];
const STARTS: readonly Role[] = ['release-manager', 'on-call'];
const reason = 'because';

/** Of reviews: the door only, who owns the agent or reads for a function the verb says. */
export const REVIEW_ROWS: Readonly<Record<string, Row>> = {
  listWeeklyReviews: { line: 'GET /v1/reviews', may: READERS },
  getWeeklyReview: { line: 'GET /v1/reviews/2020-W01', may: READERS },
  previewWeeklyReview: { line: 'GET /v1/reviews/preview', may: READERS },
  makeWeeklyReview: { line: 'POST /v1/reviews', may: STARTS, body: {} },
  verifyWeeklyReview: {
    line: 'GET /v1/reviews/2020-W01/verify',
    may: ['approver', 'release-manager', 'on-call', 'auditor'],
  },
  answerWeeklyReview: {
    line: 'POST /v1/reviews/2020-W01/answers',
    may: ['approver', 'release-manager', 'on-call', 'auditor'],
    body: { function: 'product' },
  },
  listCycleReviews: { line: 'GET /v1/cycle-reviews', may: READERS },
  getCycleReview: { line: 'GET /v1/cycle-reviews/{id}', may: READERS, about: 'cycle' },
  writeCycleReview: {
    line: 'POST /v1/cycle-reviews/{id}/write',
    may: OWNERS,
    body: {
      cause: { mechanism: 'none', confidence: 'low', text: reason, refutedBy: reason },
      next: { sentence: reason, owner: 'olga', by: '2099-01-01' },
      prediction: { metric: 'wrong', segment: 'gold', from: 1, to: 0, by: '2099-01-01' },
    },
    about: 'cycle',
  },
  secondCycleReview: {
    line: 'POST /v1/cycle-reviews/{id}/second',
    may: OWNERS,
    body: { reason },
    about: 'cycle',
  },
};
