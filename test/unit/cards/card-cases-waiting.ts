import { BUTTON } from '../../../src/cards/blocks/buttons.ts';
import type { CardCase } from './card-case.ts';
import { AT, approvedBy, LATER, POLICY } from './facts.ts';

const BY_ANA = { decisions: [approvedBy('ana')] };
const OTHER = '11111111-2222-4333-8444-555555555555';
const ANSWERS = [BUTTON.approve, BUTTON.deny, BUTTON.more];

const TWO_STAGES = {
  ...POLICY,
  stages: [
    [
      { group: 'desk', quorum: 2 },
      { group: 'legal', quorum: 1 },
    ],
    [{ group: 'leads', quorum: 1 }],
  ],
};

/** From asked to answered. */
export const WAITING: CardCase[] = [
  {
    name: 'pending',
    facts: {},
    decision: 'Waiting for one of group desk (Ana, Ben). Expires 2026-03-02 11:00 UTC',
    execution: 'Not begun',
    lines: ['*First of its kind:* nothing like it went ahead before (same agent, tool and segment)'],
    buttons: ANSWERS,
  },
  {
    name: 'pending with nobody who may answer',
    facts: { approvers: [], stale: ['desk'] },
    decision: 'Waiting for one of group desk (nobody of it may decide)',
    execution: 'Not begun',
    lines: ['*Nobody of desk counts now:* its members could not be read for too long'],
    buttons: ANSWERS,
  },
  {
    name: 'partially approved',
    facts: {
      ...BY_ANA,
      approvers: ['ben'],
      lent: { ben: 'cleo' },
      action: { approval: { ...POLICY, stages: [[{ group: 'desk', quorum: 2 }]] } },
    },
    decision:
      '1 of 2 approvals by group desk, waiting for Ben for Cleo. Approved by Ana 2026-03-02 10:00 UTC (slack). Expires',
    execution: 'Not begun',
    buttons: ANSWERS,
  },
  {
    name: 'in the first of two stages',
    facts: { ...BY_ANA, approvers: ['ben'], action: { approval: TWO_STAGES } },
    decision:
      'Stage 1 of 2: waiting for 1 of desk and 1 of legal (Ben). Approved by Ana 2026-03-02 10:00 UTC (slack). Then 1 of leads. Expires',
    execution: 'Not begun',
    buttons: ANSWERS,
  },
  {
    name: 'in the last stage and escalated',
    facts: {
      decisions: [
        approvedBy('ana', { slot: '0/desk', grp: 'desk', reason: 'Spoke with the guest' }),
        approvedBy('ben', { for_person: 'cleo', slot: '0/legal', grp: 'legal' }),
      ],
      approvers: ['cleo'],
      action: {
        approval: TWO_STAGES,
        stage: 1,
        routed: [{ group: 'board', stage: 1, because: 'unanswered', at: AT.toISOString() }],
        reach: { state: 'unreached', people: [], at: AT.toISOString(), problem: 'all are away' },
      },
    },
    decision:
      'Stage 2 of 2: waiting for 1 of leads (Cleo). Approved by Ana of desk 2026-03-02 10:00 UTC (slack) “Spoke with the guest”, Ben for Cleo of legal 2026-03-02 10:00 UTC (slack). Expires',
    execution: 'Not begun',
    lines: [
      '*Escalated:* group board may answer too 2026-03-02 10:00 UTC, because nobody answered',
      '*Nobody who may answer could be reached*: all are away',
    ],
    buttons: ANSWERS,
  },
  {
    name: 'queued for Slack',
    facts: {
      action: {
        reach: { state: 'queued', people: [], at: AT.toISOString(), postAt: LATER.toISOString() },
      },
    },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: ['*Not told yet:* the card is due 2026-03-02 11:00 UTC'],
    buttons: ANSWERS,
  },
  {
    name: 'told by direct message',
    facts: { action: { reach: { state: 'delivered', people: ['ana', 'ben'], at: AT.toISOString() } } },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: ['*Told:* Ana, Ben'],
    buttons: ANSWERS,
  },
  {
    name: 'edited',
    facts: {
      lapsed: 1,
      edits: [{ editor: 'ben', at: AT, via: 'slack', reason: 'One night only' }],
      edited: [
        { path: 'nights', before: 3, after: 1, sign: '~' },
        { path: 'note', after: 'short', sign: '+' },
        { path: 'card', before: '[redacted]', after: '[redacted]', sign: '~' },
      ],
      action: { round: 1, revision: 2 },
    },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: [
      '*Edited* by Ben 2026-03-02 10:00 UTC (slack): “One night only”',
      '1 approval of the arguments before that do not count any more',
      'Against what the agent asked:',
      '• changed nights: 3 → 1',
      '• new note: "short"',
      '• changed card: "[redacted]" → "[redacted]"',
    ],
    buttons: ANSWERS,
  },
  {
    name: 'the same as the last like it',
    facts: { last: { id: OTHER, at: AT, state: 'executed', wrong: true, changes: [] } },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: ['*Same arguments* as the last one like it (executed 2026-03-02 10:00 UTC, *reported as wrong*)'],
    buttons: ANSWERS,
  },
  {
    name: 'different from the last like it',
    facts: {
      last: {
        id: OTHER,
        at: AT,
        state: 'approved',
        wrong: false,
        changes: Array.from({ length: 12 }, (_, n) => ({
          path: `rooms[${n}]`,
          before: n,
          after: -n,
          sign: '~' as const,
        })),
      },
    },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: [
      '*Different from the last one like it* (approved 2026-03-02 10:00 UTC):',
      '• changed rooms[3]: 3 → -3',
      'and 2 more: open the page',
    ],
    buttons: ANSWERS,
  },
  {
    name: 'high risk that Slack may not approve',
    facts: {
      alike: 3,
      action: {
        risk: 'high',
        approval: { ...POLICY, slackApproves: 'not-high', breakGlass: 'leads' },
      },
    },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: [
      '*Approve on the page or by CLI:* its release does not let a Slack account alone approve high risk. Denying works here',
      'Answer 4 alike together',
    ],
    buttons: [BUTTON.deny, BUTTON.more],
  },
  {
    name: 'in need of a reason, with everything that may be done',
    facts: {
      alike: 60,
      action: { approval: { ...POLICY, reason: 'required', breakGlass: 'leads' } },
    },
    decision: 'Waiting for one of group desk',
    execution: 'Not begun',
    lines: [
      'Approve with a reason',
      'Edit the arguments',
      'Approve the like for a while',
      'Answer 50 alike together',
      'Break the glass: approve alone',
    ],
    buttons: [BUTTON.approveReason, BUTTON.deny, BUTTON.more],
  },
  {
    name: 'wished for a while',
    facts: {
      ...BY_ANA,
      approvers: ['ben'],
      action: {
        approval: { ...POLICY, stages: [[{ group: 'desk', quorum: 2 }]] },
        standing_wish: { envelope: 'args.id == "R-1"', maxUses: 5, forMs: 3_600_000, by: 'ana' },
      },
    },
    decision: '1 of 2 approvals by group desk',
    execution: 'Not begun',
    lines: [
      '*Approving also approves the like of it*, 5 times at most, for 1 hour, as Ana wished:',
      'args.id == "R-1"',
    ],
    buttons: ANSWERS,
  },
];
