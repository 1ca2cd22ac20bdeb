import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { webhookHeaders } from '../../../activities/webhook.ts';
import { alertCard, whyText } from '../../../src/cards/alert-card.ts';
import { type AlertFacts, alertPartsOf } from '../../../src/cards/alert-facts.ts';
import { VALUE } from '../../../src/cards/blocks/buttons.ts';
import { openFindings } from '../../../src/domain/incident/findings.ts';
import { classifyView } from '../../../src/slack/modals/classify.ts';
import { noticeView } from '../../../src/slack/modals.ts';
import { refuseBadView } from '../../fakes/slack/block-rules.ts';
import { findElement, visibleText } from '../../fakes/slack/visible.ts';
import { AT, read } from './facts.ts';

const alert = (kind: string, facts: Record<string, unknown>, more: Partial<AlertFacts> = {}): AlertFacts => ({
  id: `${kind}-1`,
  kind,
  agent: 'desk',
  at: AT,
  facts: alertPartsOf(facts),
  rollout: undefined,
  exposed: [],
  publicUrl: 'https://portcullis.test',
  ...more,
});

const ROLLED_BACK = {
  rollout: 'desk-2',
  segment: 'silver',
  because: 'wrong-cancellation: e-value 41 of 40',
  metric: 'wrong-cancellation',
  eValue: 41.2,
  limit: 0.05,
  events: 120,
  harms: 19,
  backOn: '1',
  waiting: 14,
  approversInGroup: 2,
  voided: 3,
  inFlight: [{ action: 'a', agent: 'desk', tool: 'cancel', summary: 'Cancel R-9', begunAt: '' }],
  executed: Array.from({ length: 12 }, (_, n) => ({
    action: `${n}`,
    summary: `Cancel R-${n}`,
    reversibility: 'compensable',
    undo: 'Book again',
  })),
  breachToRevokedMs: 84.4,
  incident: 'INC-1',
};

test('a rollback says what now applies, what was done, and offers to roll back what is still exposed', () => {
  const card = alertCard(alert('rollout.rolled_back', ROLLED_BACK, { rollout: 'desk-2', exposed: ['gold'] }));
  const shown = read(card);
  expect(shown.split('\n')[0]).toBe('*Rolled back: silver of agent desk is back on release 1*');
  expect(shown).toContain('What now applies: release 1; 14 waiting for an answer, 2 people may give it');
  expect(shown).toContain('19 of 120 events, limit 0.05, e-value 41.2');
  expect(shown).toContain('• Cancel R-0 (compensable: Book again)');
  expect(shown).toContain('and 2 more');
  expect(shown).toContain('Had begun and may still land');
  expect(shown).toContain('From breach to revoked: 84 ms');
  const { element } = findElement(card as never, 'Roll back segment gold');
  expect(VALUE.rollback.parse(String(element.value))).toEqual({
    alert: 'rollout.rolled_back-1',
    rollout: 'desk-2',
    agent: 'desk',
    segment: 'gold',
  });
  expect(findElement(card as never, 'Disable agent').element.value).toBe(
    VALUE.disable.encode({ alert: 'rollout.rolled_back-1', scope: 'agent/desk' }),
  );
  refuseBadView(noticeView('Why', whyText(alert('rollout.rolled_back', ROLLED_BACK))), 'modal');
});

test.each([
  [
    'rollout.gate',
    { rollout: 'desk-2', step: 3, phase: 'constrained', waitsFor: ['an owner approves the gate'] },
    'step 3 (constrained)',
  ],
  [
    'rollout.held',
    { rollout: 'desk-2', waitsFor: [{ for: 'time', detail: 'a new agent version' }] },
    'a new agent version',
  ],
  ['rollout.completed', { rollout: 'desk-2', segments: ['gold'] }, 'Segments: gold'],
  ['rollout.watch_ended', { rollout: 'desk-2', because: 'gold: slow' }, 'not all of it was read: agent desk'],
  [
    'switch.enabled',
    { scope: 'everything', reason: 'over', actor: 'olga' },
    'Enabled again: everything by olga: over',
  ],
  ['action.unknown', { action: '0b7e', summary: 'Cancel R-1' }, 'Open the action'],
  ['review.due', { rollout: 'desk-2', because: 'rolled back' }, 'the next start waits for it: agent desk'],
  ['something.new', {}, 'something.new: agent desk'],
  ['rollout.rolled_back', { inFlight: 'nonsense', executed: [{}], voided: 'x' }, 'Rolled back'],
])('the alert %s', (kind, facts, expected) => {
  expect(read(alertCard(alert(kind, facts)))).toContain(expected);
});

const EVIDENCE = { decided: 120, good: 118, bad: 2, lower: '0.951200', above: '0.95', alpha: '0.05' };
const SLICE = { tool: 'refund', segment: 'gold', release: '2', grant: 'refund-1', agentVersion: '1.4.0' };

test.each<[string, Record<string, unknown>, string[]]>([
  [
    'action.break_glass',
    { action: '0b7e', summary: 'Cancel R-1', person: 'ana', reason: 'fire in the <lobby>' },
    [
      '*Glass broken: ana approved alone: Cancel R-1 (agent desk)*',
      'Reason: fire in the <lobby>',
      'Somebody else reviews it now, on its page.',
    ],
  ],
  [
    'action.unreached',
    { action: '0b7e', summary: 'Cancel R-1', round: 0, stage: 0, problem: 'ana is deactivated in Slack' },
    [
      '*Nobody who is needed can be reached: Cancel R-1 (agent desk)*',
      'Why: ana is deactivated in Slack',
      'It waits all the same.',
    ],
  ],
  [
    'rollout.rolled_back',
    { segment: 'gold', metric: 'wrong', eValue: 512, harms: 8, allowed: 0.5, because: 'too many' },
    ['Evidence: wrong: 8 harms in a time that allows 0.5, e-value 512'],
  ],
  [
    'action.undelivered',
    { action: '0b7e', summary: 'Cancel R-1', problem: 'Slack answered is_archived for C1' },
    ['*Nobody was told, Slack did not take it: Cancel R-1', 'Why: Slack answered is_archived for C1'],
  ],
  [
    'autonomy.proposed',
    { ...SLICE, to: 'proposed', because: 'the evidence carries it', evidence: EVIDENCE },
    [
      '*Proposed: refund of agent desk asks no more in gold*',
      'Evidence: 120 decided by people, 118 approved unedited and right, 2 not; proven share 0.951200, needed 0.95',
      'Release 2, agent version 1.4.0',
      'A release manager confirms or refuses it',
    ],
  ],
  [
    'autonomy.changed',
    { ...SLICE, to: 'allow', evidence: EVIDENCE },
    ['*Earned: refund of agent desk asks no more in gold*'],
  ],
  [
    'autonomy.changed',
    { ...SLICE, to: 'ask', evidence: {} },
    ['*Asks again: refund of agent desk in gold*', 'needed ?'],
  ],
])('the alert %s says what happened and what to do', (kind, facts, expected) => {
  const shown = read(alertCard(alert(kind, facts)));
  for (const words of expected) expect(shown).toContain(words);
  expect(shown).not.toContain('It had begun and did not report');
  refuseBadView(noticeView('Why', whyText(alert(kind, facts))), 'modal');
});

test('an alert about everything has no agent to disable; one of the switch does not offer it again', () => {
  const everything = alertCard(
    alert('switch.disabled', { scope: 'everything', actor: 'cleo', reason: 'fire' }, { agent: null }),
  );
  expect(visibleText(everything as never)).not.toContain('Disable agent');
  expect(read(everything)).toContain('Disabled: everything by cleo: fire');
});

test('an alert with a segment that is still exposed offers exactly that one', () => {
  const card = alertCard(
    alert(
      'rollout.held',
      { rollout: 'desk-2', segment: 'gold' },
      { rollout: 'desk-2', exposed: ['gold', 'silver'] },
    ),
  );
  expect(findElement(card as never, 'Roll back segment').element.value).toContain('"segment":"gold"');
});

test('webhookHeaders() signs id, time and body as Standard Webhooks says', () => {
  const sign = (key: Buffer | string) =>
    createHmac('sha256', key).update('alert-1.1772445600.{"a":1}').digest('base64');
  expect(webhookHeaders('secret', 'alert-1', AT, '{"a":1}')).toMatchObject({
    'webhook-id': 'alert-1',
    'webhook-timestamp': '1772445600',
    'webhook-signature': `v1,${sign('secret')}`,
  });
  const key = Buffer.from('0123456789');
  expect(
    webhookHeaders(`whsec_${key.toString('base64')}`, 'alert-1', AT, '{"a":1}')['webhook-signature'],
  ).toBe(`v1,${sign(key)}`);
});

test('an incident says who owns it and until when, and is classified from its card while nobody did', () => {
  const opened = {
    incident: 'inc-1',
    summary: 'Cancel R-<9> was wrong',
    severity: 'high',
    person: 'olga',
    classifyBy: '2026-11-30T12:00:00Z',
  };
  const card = alertCard(alert('incident.opened', opened));
  expect(read(card)).toContain('Incident: Cancel R-<9> was wrong (agent desk)');
  expect(JSON.stringify(card)).toContain('Incident: Cancel R-&lt;9&gt; was wrong');
  expect(JSON.stringify(card)).toContain('https://portcullis.test/incidents/inc-1');
  expect(read(card)).toMatch(/severity high, owner olga, to be classified by /);
  const { element } = findElement(card as never, 'Classify');
  expect(VALUE.incident.parse(String(element.value))).toEqual({ incident: 'inc-1', agent: 'desk' });
  const known = alertCard(alert('incident.opened', { ...opened, mechanism: 'late_stop' }));
  expect(read(known)).toContain('by the records late_stop');
  expect(() => findElement(known as never, 'Classify')).toThrow();
});

test('a follow-up that is due says whose it is and what it holds up', () => {
  const due = { followUp: 'fu-1', sentence: 'Add a guardrail', person: 'ana', dueAt: '2026-11-30T12:00:00Z' };
  expect(read(alertCard(alert('follow_up.due', due)))).toContain('Due: Add a guardrail (agent desk)');
  const late = read(alertCard(alert('follow_up.due', { ...due, overdue: true, blocks: true })));
  expect(late).toContain('Overdue: Add a guardrail');
  expect(late).toContain('No start and no wider step of the agent until it is done or waived');
});

test('the modal that classifies keeps to what Slack takes, whatever an incident is called', () => {
  const findings = openFindings().map((one) => ({ ...one, answer: 'ask' as const, likely: true as const }));
  const meta = { incident: 'inc-1', agent: 'desk', revision: 1, channel: 'C0', ts: '1.1' };
  for (const title of ['<!channel> '.repeat(200), '&'.repeat(900), ''])
    refuseBadView(JSON.parse(JSON.stringify(classifyView(meta, { title, findings }))), 'modal');
});
