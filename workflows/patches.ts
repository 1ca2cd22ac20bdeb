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
export const Patch = {} as const;
