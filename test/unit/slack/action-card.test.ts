import { expect, test } from 'vitest';
import { BUTTON, VALUE } from '../../../src/slack/buttons.ts';
import { actionCard } from '../../../src/slack/cards/action-card.ts';
import type { CardFacts } from '../../../src/slack/cards/card-facts.ts';
import { plainBlocks } from '../../../src/slack/cards/message.ts';
import { elementsOf, findElement } from '../../fakes/slack/visible.ts';
import { AT, approvedBy, cardFacts, read } from './facts.ts';

type Parts = Parameters<typeof cardFacts>[0];
const approved = { decided_by: 'person' as const, decided_at: AT, revision: 2 };
const by = { decisions: [approvedBy('ana')] };
const denied: CardFacts['decisions'][number] = { ...approvedBy('ben'), verdict: 'deny' };

const buttons = (facts: CardFacts): unknown[] =>
  elementsOf(actionCard(facts).blocks as never).map(({ element }) => element.action_id);

interface Case {
  name: string;
  facts: Parts;
  decision: string;
  execution: string;
  buttons: string[];
}

const CASES: Case[] = [
  {
    name: 'pending',
    facts: {},
    decision: 'Waiting for one of group desk (Ana, Ben). Expires',
    execution: 'Not begun',
    buttons: [BUTTON.approve, BUTTON.deny],
  },
  {
    name: 'partially approved',
    facts: { ...by, action: { approval: { group: 'desk', quorum: 2, expiresIn: '1h' } } },
    decision: '1 of 2 approvals by group desk (Ana, Ben). Approved by Ana',
    execution: 'Not begun',
    buttons: [BUTTON.approve, BUTTON.deny],
  },
  {
    name: 'approved',
    facts: { ...by, action: { ...approved, state: 'approved' } },
    decision: 'Approved by Ana',
    execution: 'Not begun. The agent may begin until',
    buttons: [],
  },
  {
    name: 'denied without a reason',
    facts: { decisions: [denied], action: { ...approved, state: 'denied' } },
    decision: 'Denied by Ben 2026-03-02 10:00 UTC (slack). No reason given yet',
    execution: 'Never begun',
    buttons: [BUTTON.denyReason],
  },
  {
    name: 'denied with a reason',
    facts: { decisions: [denied], action: { ...approved, state: 'denied', deny_reason: 'Wrong guest' } },
    decision: 'Denied by Ben 2026-03-02 10:00 UTC (slack). Reason: Wrong guest',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'expired',
    facts: { action: { state: 'expired' }, ended: { by: 'sweeper', at: AT } },
    decision: 'Expired unanswered 2026-03-02 11:00 UTC. Nobody denied it',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'expired after approval',
    facts: { ...by, action: { ...approved, state: 'expired' }, ended: { by: 'sweeper', at: AT } },
    decision: 'Approved by Ana 2026-03-02 10:00 UTC (slack); expired before the agent began',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'withdrawn',
    facts: { action: { state: 'withdrawn' }, ended: { by: 'token agent', at: AT, reason: 'not needed' } },
    decision: 'Withdrawn by the agent 2026-03-02 10:00 UTC: not needed',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'superseded',
    facts: {
      action: { state: 'superseded', superseded_because: 'rolled_back' },
      ended: { by: 'judge', at: AT },
    },
    decision: 'Void 2026-03-02 10:00 UTC: the permission it was asked under was rolled back',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'disabled',
    facts: { action: { state: 'disabled' }, ended: { by: 'cleo', at: AT, reason: 'fire' } },
    decision: 'Switched off by Cleo 2026-03-02 10:00 UTC: fire',
    execution: 'Never begun',
    buttons: [],
  },
  {
    name: 'executing',
    facts: { ...by, action: { ...approved, state: 'executing', began_at: AT, deadline_at: AT } },
    decision: 'Approved by Ana',
    execution: 'Begun 2026-03-02 10:00 UTC. The agent reports by',
    buttons: [],
  },
  {
    name: 'executed',
    facts: { ...by, action: { ...approved, state: 'executed', completed_at: AT } },
    decision: 'Approved by Ana',
    execution: 'Executed 2026-03-02 10:00 UTC',
    buttons: [BUTTON.report],
  },
  {
    name: 'failed',
    facts: { ...by, action: { ...approved, state: 'failed', completed_at: AT, error_code: 'no_seat' } },
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
      ...by,
      action: {
        ...approved,
        state: 'executed',
        completed_at: AT,
        corrected_at: AT,
        corrected_by: 'cleo',
        correction_reason: 'Other room',
      },
    },
    decision: 'Approved by Ana',
    execution: 'Executed 2026-03-02 10:00 UTC\n*Reported as wrong by Cleo 2026-03-02 10:00 UTC: Other room*',
    buttons: [],
  },
];

test.each(CASES)(
  'the card of an action that is $name',
  ({ facts, decision, execution, buttons: expected }) => {
    const built = cardFacts(facts);
    const card = actionCard(built);
    const shown = read(card);
    expect(shown).toContain(`*Decision:* ${decision}`);
    expect(shown).toContain(`*Execution:* ${execution}`);
    expect(buttons(built)).toEqual([...expected, BUTTON.open]);
    expect(shown.split('\n')[0]).toMatch(/^\*Cancel order R-1\*\. The guest loses the room/);
    expect(shown.split('\n').at(-1)).toBe(
      `Action ${built.action.id} · revision ${built.action.revision} · digest ${'f00d'.repeat(16)} · epoch 7`,
    );
    expect(card.text).toMatch(/^Cancel order R-1\. The guest loses the room/);
    read({ text: card.text, blocks: plainBlocks(card) });
  },
);

test('the first line of what waits has the deadline, in blocks and in the notification', () => {
  const card = actionCard(cardFacts());
  expect(card.text.split('\n')[0]).toContain('Answer by <!date^');
  expect(read(card).split('\n')[0]).toContain('Answer by 2026-03-02 11:00 UTC');
});

test('a button carries the revision and digest that were shown; every block is new with every version', () => {
  const facts = cardFacts();
  const { element } = findElement(actionCard(facts) as never, 'Approve');
  expect(VALUE.action.parse(String(element.value))).toEqual({
    id: facts.action.id,
    revision: 1,
    digest: facts.action.args_digest,
  });
  const ids = (version: number) => actionCard({ ...facts, version }).blocks.map((block) => block.block_id);
  expect(ids(2).filter((id) => ids(4).includes(id))).toEqual([]);
  expect(new Set(ids(2)).size).toBe(ids(2).length);
});

test('arguments are shown in full while they fit, else what is missing is counted and linked', () => {
  expect(read(actionCard(cardFacts()))).toContain('"card": "[redacted]"');
  const shown = read(actionCard(cardFacts({ args: { text: 'x'.repeat(20_000) } })));
  const missing = Number(/\*(\d+) more characters:\* open the page/.exec(shown)?.[1]);
  expect((shown.match(/x/g) ?? []).length + missing).toBeGreaterThan(20_000);
  expect(read(actionCard(cardFacts({ args: undefined })))).toContain('Erased');
});

test('test mode, advisory tools and scaled days are said', () => {
  const tool = {
    risk: 'low',
    reversibility: 'reversible',
    undo: undefined,
    consequence: undefined,
    advisory: true,
  } as const;
  const shown = read(actionCard(cardFacts({ testMode: true, tool, dayMs: 60_000 })));
  expect(shown).toContain('TEST MODE');
  expect(shown).toContain('ADVISORY');
  expect(shown).toContain('one day lasts 60 seconds');
});

test('a tool that is gone from the manifest is still shown, as unknown', () => {
  expect(read(actionCard(cardFacts({ tool: undefined })))).toContain('no longer in the manifest');
});
