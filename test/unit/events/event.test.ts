import { expect, test } from 'vitest';
import { eventOf, isWanted, type StoredEvent } from '../../../src/events/event.ts';

const AT = '2026-01-01T00:00:00.000Z';
const stored = (kind: string, more: Record<string, unknown> = {}): StoredEvent => {
  const body = { v: 1, id: 9, at: AT, kind, agent: 'desk', ref: 'a-1', actor: 'ana', ...more };
  const { agent = null, ref } = body as { agent?: string; ref: string };
  return { seq: 4, kind, agent, ref, body: JSON.stringify(body) };
};
const denied = stored('action.denied', {
  data: { from: 'pending', to: 'denied', revision: 2, reason: 'She is my aunt', identity: 'slack U0ANA' },
});

test('who may read the log sees the entry; others what became of which action, and no person and no reason', () => {
  const part = {
    seq: 4,
    at: AT,
    kind: 'action.denied',
    agent: 'desk',
    action: 'a-1',
    state: 'denied',
    revision: 2,
  };
  expect(eventOf(denied, false)).toEqual(part);
  expect(JSON.stringify(eventOf(denied, false))).not.toMatch(/aunt|ana/i);
  expect(eventOf(denied, true)).toEqual({
    ...part,
    ref: 'a-1',
    actor: 'ana',
    data: expect.objectContaining({ reason: 'She is my aunt' }),
  });
});

test('an action that is asked is in the state of its outcome; what is no action has none', () => {
  const asked = (outcome: string) => eventOf(stored('action.asked', { data: { outcome } }), false);
  expect(['allowed', 'pending', 'denied'].map((outcome) => asked(outcome).state)).toEqual([
    'approved',
    'pending',
    'denied',
  ]);
  const rollout = stored('rollout.rolled_back', { ref: 'r-1', data: { because: 'breach', to: 'x' } });
  expect(eventOf(rollout, false)).toEqual({ seq: 4, at: AT, kind: 'rollout.rolled_back', agent: 'desk' });
});

test('filters: an agent also gets what concerns all of them; kinds are whole or a first word', () => {
  const everything = stored('switch.disabled', { agent: undefined, ref: 'everything' });
  expect(isWanted({}, denied)).toBe(true);
  expect(isWanted({ agent: 'desk' }, denied)).toBe(true);
  expect(isWanted({ agent: 'other' }, denied)).toBe(false);
  expect(isWanted({ agent: 'other' }, everything)).toBe(true);
  expect(isWanted({ agent: 'other', action: 'a-1' }, everything)).toBe(false);
  expect(isWanted({ action: 'a-1' }, denied)).toBe(true);
  expect(isWanted({ action: 'a-2' }, denied)).toBe(false);
  expect(isWanted({ kinds: ['switch', 'action.denied'] }, denied)).toBe(true);
  expect(isWanted({ kinds: ['act', 'action.den', 'rollout'] }, denied)).toBe(false);
});
