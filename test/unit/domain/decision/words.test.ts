import { expect, test } from 'vitest';
import { ask, worldOf } from './worlds.ts';

const told = (...grants: Record<string, unknown>[]) => ask({}, worldOf(grants)).reasons[0];

test('how many people are asked is told', () => {
  const asked = (quorum: number) => told({ tool: 'cancel', approval: { group: 'desk', quorum } })?.message;
  expect(asked(1)).toContain('asks a person:');
  expect(asked(2)).toContain('asks 2 people:');
});

test('what would pass is told of the grants that give it, never of those that refuse', () => {
  const refuses = { tool: 'cancel', when: 'args.id == "z"', deny: 'not that one' };
  expect(told(refuses)).toMatchObject({ code: 'no_grant' });
  const gives = { tool: 'cancel', when: ' args.id == "b" ', approval: 'desk' };
  expect(told(refuses, gives)).toMatchObject({
    code: 'condition_not_met',
    hint: '"cancel-2" needs args.id == "b"',
  });
});

test('a condition that does not compile denies, and its grant is named', () => {
  expect(told({ tool: 'cancel', when: 'args.id ==', approval: 'none' })).toMatchObject({
    code: 'condition_error',
    message: 'The condition of grant "cancel-1" failed on this request',
  });
});
