import { type IssuedCredential, mintCredential } from '../credentials/issue.ts';
import type { AskDraft, AtOnce } from '../records/ask-row.ts';
import type { Services } from '../services.ts';
import { COMPLETE_WITHIN_MS, START_BY_MS } from './begin.ts';

/**
 * How a write begins in the very transaction that records its question, or `undefined` where it cannot. The epoch that it was
 * decided in is compared there under the gate's lock, so that of what a policy let pass nothing is left to check again. What
 * people, standing approvals or evidence let pass rests on more than the epoch, and what is limited is counted first: those
 * begin on their own.
 */
export function atOnceOf(
  services: Pick<Services, 'keys' | 'issuer'>,
  draft: AskDraft,
  executionId: string | undefined,
): { atOnce: AtOnce; credential: IssuedCredential } | undefined {
  const { state, kind, decided_by, earned, standing_id, limits, credential: spec } = draft;
  const byPolicy = state === 'approved' && decided_by === 'policy' && !earned && standing_id === null;
  const isLimited = limits.perHour !== undefined || limits.perDay !== undefined;
  if (kind !== 'write' || !byPolicy || isLimited || !spec) return undefined;
  const now = draft.asked_at;
  const execution_id = executionId ?? draft.id;
  const credential = mintCredential(services, draft, { spec, salt: draft.salt, now });
  const columns = {
    state: 'executing',
    revision: draft.revision + 1,
    execution_id,
    began_at: now,
    begun_day: Object.keys(draft.counts).length > 0 ? draft.event_day : null,
    start_by: new Date(now.getTime() + START_BY_MS),
    deadline_at: new Date(now.getTime() + COMPLETE_WITHIN_MS),
  } as const;
  const { jti, expiresAt } = credential;
  const begun = {
    from: state,
    to: columns.state,
    revision: columns.revision,
    execution: execution_id,
    epoch: draft.epoch,
    day: draft.event_day,
  };
  return {
    credential,
    atOnce: {
      columns,
      lease: { jti, expires_at: expiresAt },
      entries: [
        { kind: 'action.begun', actor: draft.asked_by, data: begun },
        { kind: 'credential.issued', actor: 'policy', data: { jti, expires: expiresAt.toISOString() } },
      ],
    },
  };
}
