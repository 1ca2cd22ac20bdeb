import { test } from 'vitest';

/** One promise: its sentence, where it comes from, and for a "must never" the guard whose removal turns its test red. */
export interface Requirement {
  promise: string;
  /** File and name of what holds it; removed once by hand, and the citing test was seen to fail. */
  guard?: string;
}

/** The promises as data. Tests cite them with `verifies`; a gate fails on one that no test cites. */
export const REQUIREMENTS = {
  'never:unrecorded-write': {
    promise: 'A write never begins without a recorded allow or approval for exactly these arguments',
    guard:
      "src/db/functions/actions.sql begin_action(): r.state <> 'approved', p_now > r.expires_at, x.agent = p_agent, and 'already_begun'; src/db/functions/standing-approvals.sql use_standing_approval(): s.used < s.max_uses and s.ended_at IS NULL (either holds alone); src/db/functions/begins.sql begin_write(): known.round; src/db/functions/answers.sql action_to_decide(): n.round = a.round",
  },
  'never:write-after-stop': {
    promise: 'A write never begins after disable or a rollback covering it has returned',
    guard:
      'src/db/functions/actions.sql: pg_advisory_xact_lock_shared before the first read of begin_action() and of store_credential(); still_holds() in both; ask_actions(): the epoch of what it is asked under; src/db/functions/standing-approvals.sql: the triggers that end standing approvals',
  },
  'never:decision-twice': {
    promise: 'A decision never counts twice',
    guard:
      'src/db/functions/answers.sql action_to_decide(): FOR UPDATE, and the answers in a statement after it; src/approvals/answer.ts: own, other',
  },
  'never:decision-without-standing': {
    promise: 'A decision is never made by someone who may not',
    guard:
      'src/domain/approval/approval.ts conflictOf() and rightIn(); src/approvals/answer.ts rightOf(); src/approvals/to-answer.ts isThen(); src/db/functions/holds.sql may_answer(), is_stale()',
  },
  'never:decision-shown-but-not-made': {
    promise: 'A decision is never shown as made when it was not',
    guard:
      'src/slack/app.ts register(): app.error(answerPerson); cards are drawn from the record alone (src/cards/action-card.ts)',
  },
  'never:acknowledged-lost': {
    promise: 'Something acknowledged is never lost by any crash, restart or outage',
    guard:
      'src/records/ask-writer.ts write(): resolves after the commit; src/db/functions/actions.sql move_action(): its outbox row; src/temporal/dispatch.ts: deletes it after Temporal took it; src/records/record-after.ts flush()',
  },
  'never:outage-reads-as-news': {
    promise: 'A metric outage never reads as good or as bad news',
    guard: 'src/domain/evidence/guardrail.ts verdictWord(): dataState is looked at before ok',
  },
  'never:secret-leaks': {
    promise:
      'A secret or a redacted argument never appears in Slack, logs, Temporal, error messages or the log',
    guard: 'src/domain/decision/redact.ts redact(); src/domain/decision/hidden-names.ts withoutHiddenNames()',
  },
  'never:history-fails-to-replay': {
    promise: 'A workflow history of an earlier version never fails to replay',
    guard:
      'workflows/: any added, removed or reordered command (tried: a timer before the loop of rollout.ts)',
  },
  'never:rolled-back-reopened': {
    promise: 'A rolled-back segment is never re-opened by anything but a person’s recorded reenter',
    guard:
      "src/rollouts/moves.ts widen(): state in ('waiting', 'exposed'), completeRollout(): state = 'exposed', isOutdated(); src/rollouts/verb-segment.ts settleSegment(): requireOwner()",
  },
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof REQUIREMENTS;

/** A test that proves a promise; its name carries the promise's id, which the gate looks for. */
export function verifies(
  id: RequirementId,
  criterion: string,
  body: () => Promise<void> | void,
  timeoutMs?: number,
): void {
  test(`${criterion} [${id}]`, body, timeoutMs);
}
