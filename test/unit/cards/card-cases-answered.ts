import { BUTTON } from '../../../src/cards/blocks/buttons.ts';
import type { CardCase } from './card-case.ts';
import { AT, approvedBy, LATER } from './facts.ts';

const APPROVED = { decided_by: 'person' as const, decided_at: AT, revision: 2 };
const BY_ANA = { decisions: [approvedBy('ana')] };
const DENIED = approvedBy('ben', { verdict: 'deny' });
const OTHER = '11111111-2222-4333-8444-555555555555';
const STANDING = { envelope: 'args.id == "R-1"', maxUses: 5, used: 2, until: LATER, by: 'ana' };

/** From the answer on. */
export const ANSWERED: CardCase[] = [
  {
    name: 'approved',
    facts: { ...BY_ANA, action: { ...APPROVED, state: 'approved' } },
    decision: 'Approved by Ana',
    execution: 'Not begun. The agent may begin until',
    buttons: [],
  },
  {
    name: 'approved along with the like of it',
    facts: {
      ...BY_ANA,
      standings: [{ ...STANDING, ended: undefined }],
      action: { ...APPROVED, state: 'approved' },
    },
    decision: 'Approved by Ana',
    execution: 'Not begun. The agent may begin until',
    lines: ['*The like of it was approved too*, by Ana: used 2 of 5, until 2026-03-02 11:00 UTC'],
    buttons: [],
  },
  {
    name: 'executed, and the like of it ended',
    facts: {
      ...BY_ANA,
      standings: [{ ...STANDING, ended: { at: AT, because: 'revoked', by: 'cleo' } }],
      action: { ...APPROVED, state: 'executed', completed_at: AT },
    },
    decision: 'Approved by Ana',
    execution: 'Executed',
    lines: [
      '*The like of it was approved too*, by Ana: used 2 of 5. *Ended* 2026-03-02 10:00 UTC, because it was taken back by Cleo',
    ],
    buttons: [BUTTON.report],
  },
  {
    name: 'executed under a standing approval',
    facts: {
      under: { by: 'ana', action: OTHER },
      action: { ...APPROVED, state: 'executed', completed_at: AT, standing_id: OTHER },
    },
    decision: 'Approved beforehand by Ana: a standing approval, given with another action',
    execution: 'Executed',
    buttons: [BUTTON.report],
  },
  {
    name: 'approved by breaking the glass',
    facts: {
      decisions: [approvedBy('ana', { slot: 'break-glass', grp: 'leads', reason: 'The house is on fire' })],
      action: { ...APPROVED, state: 'approved', break_glass: true },
    },
    decision: 'Approved by Ana 2026-03-02 10:00 UTC (slack) ALONE, breaking the glass: The house is on fire',
    execution: 'Not begun',
    lines: [
      'EMERGENCY: approved by one person alone',
      '*Review:* not reviewed yet. An owner or an auditor looks at it on the page',
    ],
    buttons: [],
  },
  {
    name: 'reviewed after the glass was broken',
    facts: {
      decisions: [approvedBy('ana', { slot: 'break-glass', grp: 'leads', reason: 'Fire' })],
      action: {
        ...APPROVED,
        state: 'executed',
        completed_at: AT,
        break_glass: true,
        reviewed_by: 'cleo',
        reviewed_at: AT,
        review: { justified: false, note: 'It was a toaster' },
      },
    },
    decision: 'Approved by Ana 2026-03-02 10:00 UTC (slack) ALONE',
    execution: 'Executed',
    lines: ['*Review:* NOT justified, by Cleo 2026-03-02 10:00 UTC: It was a toaster'],
    buttons: [BUTTON.report],
  },
  {
    name: 'allowed because it was earned',
    facts: {
      action: { state: 'executing', decided_by: 'policy', earned: true, began_at: AT, deadline_at: AT },
    },
    decision: 'Allowed by policy, nobody was asked: earned by its record in this segment: cancel-2',
    execution: 'Begun',
    buttons: [],
  },
  {
    name: 'allowed by a rule',
    facts: {
      action: {
        state: 'executed',
        completed_at: AT,
        decided_by: 'policy',
        reasons: [{ code: 'approved_by_rule', message: 'Small amounts run' }],
      },
    },
    decision: 'Allowed by a rule of the release: Small amounts run',
    execution: 'Executed',
    buttons: [BUTTON.report],
  },
  {
    name: 'denied without a reason',
    facts: { decisions: [DENIED], action: { ...APPROVED, state: 'denied' } },
    decision: 'Denied by Ben 2026-03-02 10:00 UTC (slack). No reason given yet',
    execution: 'Never begun',
    buttons: [BUTTON.denyReason],
  },
  {
    name: 'denied with a reason',
    facts: { decisions: [DENIED], action: { ...APPROVED, state: 'denied', deny_reason: 'Wrong guest' } },
    decision: 'Denied by Ben 2026-03-02 10:00 UTC (slack). Reason: Wrong guest',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'expired',
    facts: { action: { state: 'expired', ended_by: 'sweeper', ended_at: AT } },
    decision: 'Expired unanswered 2026-03-02 11:00 UTC. Nobody denied it',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'expired after approval',
    facts: { ...BY_ANA, action: { ...APPROVED, state: 'expired', ended_by: 'sweeper', ended_at: AT } },
    decision:
      'Approved by Ana 2026-03-02 10:00 UTC (slack); expired before the agent began 2026-03-02 10:00 UTC',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'withdrawn',
    facts: {
      action: { state: 'withdrawn', ended_by: 'token agent', ended_at: AT, withdraw_reason: 'not needed' },
    },
    decision: 'Withdrawn by the agent 2026-03-02 10:00 UTC: not needed',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'superseded',
    facts: {
      action: { state: 'superseded', superseded_because: 'rolled_back', ended_by: 'judge', ended_at: AT },
    },
    decision: 'Void 2026-03-02 10:00 UTC: the permission it was asked under was rolled back',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'superseded with the standing approval it came under',
    facts: {
      under: { by: 'ana', action: OTHER },
      action: {
        ...APPROVED,
        state: 'superseded',
        superseded_because: 'standing_approval_ended',
        ended_by: 'policy',
        ended_at: AT,
      },
    },
    decision:
      'Approved beforehand by Ana: a standing approval, given with another action; void 2026-03-02 10:00 UTC: the standing approval it came under was ended',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'disabled',
    facts: { action: { state: 'disabled', ended_by: 'cleo', ended_at: AT, ended_because: 'fire' } },
    decision: 'Switched off by Cleo 2026-03-02 10:00 UTC: fire',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'executing',
    facts: { ...BY_ANA, action: { ...APPROVED, state: 'executing', began_at: AT, deadline_at: AT } },
    decision: 'Approved by Ana',
    execution: 'Begun 2026-03-02 10:00 UTC. The agent reports by',
    buttons: [],
  },
  {
    name: 'failed',
    facts: { ...BY_ANA, action: { ...APPROVED, state: 'failed', completed_at: AT, error_code: 'no_seat' } },
    decision: 'Approved by Ana',
    execution: 'Failed 2026-03-02 10:00 UTC: no_seat',
    buttons: [],
  },
  {
    name: 'unknown, allowed by policy',
    facts: { action: { state: 'unknown', decided_by: 'policy', began_at: AT, deadline_at: AT } },
    decision: 'Allowed by policy: cancel-2',
    execution: 'Unknown. Begun 2026-03-02 10:00 UTC and no report by',
    buttons: [BUTTON.report],
  },
  {
    name: 'corrected',
    facts: {
      ...BY_ANA,
      action: {
        ...APPROVED,
        state: 'executed',
        completed_at: AT,
        corrected_at: AT,
        corrected_by: 'cleo',
        correction_reason: 'Other room',
      },
    },
    decision: 'Approved by Ana',
    execution: 'Executed 2026-03-02 10:00 UTC',
    lines: ['*Reported as wrong by Cleo 2026-03-02 10:00 UTC: Other room*'],
    buttons: [],
  },
  {
    name: 'edited and then erased',
    facts: {
      args: undefined,
      edits: [{ editor: 'ben', at: AT, via: 'web', reason: null }],
      action: {
        state: 'withdrawn',
        round: 1,
        why: null,
        links: [],
        ended_by: 'olga',
        ended_at: AT,
        ended_because: 'erased',
      },
    },
    decision: 'Withdrawn by the agent 2026-03-02 10:00 UTC: erased',
    execution: 'Never begun',
    lines: [
      '*Edited* by Ben 2026-03-02 10:00 UTC (web)',
      'What it was before is not kept any more',
      'Erased',
    ],
    buttons: [],
  },
];
