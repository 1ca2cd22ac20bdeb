import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SlackMessage } from '../../../src/cards/blocks/message.ts';
import type { CardFacts } from '../../../src/cards/card-facts.ts';
import type { ApprovalPolicy } from '../../../src/domain/release.ts';
import type { GivenAnswer } from '../../../src/records/answer.ts';
import { refuseBadBlocks } from '../../fakes/slack/block-rules.ts';
import { visibleText } from '../../fakes/slack/visible.ts';

export const AT = new Date('2026-03-02T10:00:00Z');
export const LATER = new Date('2026-03-02T11:00:00Z');

type Action = CardFacts['action'];

/** One of the group desk, with everything else as it is when a release says nothing. */
export const POLICY: ApprovalPolicy = {
  stages: [[{ group: 'desk', quorum: 1 }]],
  expiresIn: '1h',
  reason: 'optional',
  slackApproves: 'any',
  notify: 'channel',
  escalate: [],
  standing: 'allowed',
};

/** A pending write of the desk; `action` and the rest replace parts. */
export function cardFacts({
  action,
  ...more
}: Partial<Omit<CardFacts, 'action'>> & { action?: Partial<Action> } = {}): CardFacts {
  return {
    tool: {
      reversibility: 'compensable',
      undo: 'Book it again',
      consequence: 'The guest loses the room',
      advisory: false,
    },
    args: { id: 'R-1', card: '[redacted]' },
    decisions: [],
    lapsed: 0,
    strangers: [],
    names: { ana: 'Ana', ben: 'Ben', cleo: 'Cleo' },
    approvers: ['ana', 'ben'],
    lent: {},
    stale: [],
    denied: [],
    alike: 0,
    last: undefined,
    edits: [],
    edited: undefined,
    standings: [],
    under: undefined,
    testMode: false,
    dayMs: 86_400_000,
    publicUrl: 'https://portcullis.test',
    channel: 'C0DESK',
    ...more,
    action: { ...pendingAction(), ...action },
  };
}

const pendingAction = (): Action => ({
  id: '0b7e3f6a-1f6e-4d7e-9f43-0d1f2a3b4c5d',
  agent: 'desk',
  idempotency_key: 'k',
  request_digest: 'd',
  same_digest: '',
  agent_version: '1.2.3',
  tool: 'cancel',
  kind: 'write',
  segment: 'gold',
  arm: 'control',
  release: '1',
  rollout_id: null,
  generation: null,
  bucket: null,
  phase: null,
  event_day: null,
  begun_day: null,
  counts: {},
  epoch: 7,
  grant_name: 'cancel-2',
  state: 'pending',
  decided_by: null,
  superseded_because: null,
  ended_at: null,
  ended_by: null,
  ended_because: null,
  revision: 1,
  card_version: 2,
  reasons: [],
  args_digest: 'f00d'.repeat(16),
  subject_id: 1,
  subject_digest: 's',
  summary: 'Cancel order R-1',
  why: 'The guest asked for it',
  behind: [],
  behind_keys: [],
  links: [],
  redact: [],
  approval: POLICY,
  credential: null,
  limits: {},
  asked_at: AT,
  asked_by: 'token agent',
  asked_by_key: '',
  expires_at: LATER,
  remind_at: null,
  decided_at: null,
  deny_reason: null,
  execution_id: null,
  began_at: null,
  start_by: null,
  deadline_at: null,
  completed_at: null,
  result_digest: null,
  error_code: null,
  corrected_by: null,
  corrected_at: null,
  correction_reason: null,
  withdraw_reason: null,
  round: 0,
  stage: 0,
  stage_opened_at: AT,
  routed: [],
  risk: 'medium',
  reminders: 0,
  reach: null,
  standing_id: null,
  standing_wish: null,
  break_glass: false,
  reviewed_by: null,
  reviewed_at: null,
  review: null,
  earned: false,
});

/** An approval as one of the group desk, in the first stage unless `more` says otherwise. */
export const approvedBy = (person: string, more: Partial<GivenAnswer> = {}): GivenAnswer => ({
  person,
  for_person: person,
  verdict: 'approve',
  at: AT,
  via: 'slack',
  reason: null,
  stage: 0,
  options: [{ slot: '0/desk', group: 'desk' }],
  slot: null,
  grp: null,
  ...more,
});

/** What a person reads, after Slack's own rules have passed it. */
export function read(message: SlackMessage): string {
  refuseBadBlocks(message.blocks);
  if (message.text.length > 4_000 || message.text.trim() === '')
    throw new Error(`text of ${message.text.length} characters`);
  return visibleText({ text: message.text, blocks: message.blocks.map((block) => ({ ...block })) });
}

/**
 * For people who want to look: with `PORTCULLIS_CARDS=folder` what is shown goes into a file there, for Slack's Block
 * Kit Builder, with its text beside it.
 */
export function keepForLooking(name: string, shown: { text?: string; blocks: readonly object[] }): void {
  const folder = process.env.PORTCULLIS_CARDS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name.replace(/\W+/g, '-'));
  const { text, blocks } = shown;
  writeFileSync(`${file}.json`, JSON.stringify(shown, null, 2));
  const lines = visibleText({ blocks: blocks.map((block) => ({ ...block })) });
  writeFileSync(`${file}.txt`, `${lines}\n${text === undefined ? '' : `\n--- text ---\n${text}\n`}`);
}
