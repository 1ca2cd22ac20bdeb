/**
 * The ledger of changes that running workflows must survive. One entry for each: since when, what changed, why, and
 * when it may go.
 *
 *   // 2026-03-02. Reminder after the sync, not before. Why: it named people who had answered.
 *   // Deprecate when every open action carries this id in TemporalChangeVersion; delete one release later.
 *   RemindAfterSync: 'governed-action.remind-after-sync',
 *
 * A workflow reads each once, if its entry does not say otherwise:
 * `const remindsAfterSync = patched(Patch.RemindAfterSync)`.
 */
export const Patch = {
  // 2026-11-21. One activity does whatever is due (cards, reach, reminders, escalation) and says when to look again.
  // Why: reminders repeat and escalation follows the record. Deprecate when every open action carries this id in
  // TemporalChangeVersion; delete one release later, with syncActionCards and remindAction.
  FollowRecord: 'governed-action.follow-record',
  // 2026-11-30. An activity says the next move and another makes it. Why: a changed rule of a gate broke the replay of
  // runs that are open for 90 days. Read in every round, so that open runs come to it with their next one, and runs of
  // the shared queue move on to their own. Deprecate when every open rollout carries this id in TemporalChangeVersion;
  // delete one release later, with rollout-as-before.ts and its activities.
  AskForMove: 'rollout.ask-for-move',
} as const;
