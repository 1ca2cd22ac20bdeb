export const WEEKLY_REVIEW_WORKFLOW = 'weeklyReview';

/** The schedule that starts it, and what its runs are called. */
export const WEEKLY_REVIEW_SCHEDULE = 'weekly-review';
