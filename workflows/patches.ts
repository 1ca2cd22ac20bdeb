/**
 * The ledger of changes that running workflows must survive. One entry for each: since when, what changed, why, and
 * when it may go.
 *
 *   // 2026-03-02. Reminder after the sync, not before. Why: it named people who had answered.
 *   // Deprecate when every open action carries this id in TemporalChangeVersion; delete one release later.
 *   RemindAfterSync: 'governed-action.remind-after-sync',
 *
 * A workflow reads each once: `const remindsAfterSync = patched(Patch.RemindAfterSync)`.
 */
export const Patch = {
  // 2026-11-21. One activity does whatever is due (cards, reach, reminders, escalation) and says when to look again.
  // Why: reminders repeat and escalation follows the record. Deprecate when every open action carries this id in
  // TemporalChangeVersion; delete one release later, with syncActionCards and remindAction.
  FollowRecord: 'governed-action.follow-record',
} as const;
