import { expect, test } from 'vitest';
import { diffAgents } from '../../../../src/domain/manifest/diff.ts';
import { segmentEdits } from '../../../../src/domain/manifest/segment-edits.ts';
import { agentOf } from './fixtures.ts';

const named = (name: string, when = `context.tier == "${name}"`) => ({ name, when });
const withSegments = (...segments: object[]) => agentOf({ attributes: { tier: 'string' }, segments });
const before = withSegments(named('gold'), named('silver'));
const edits = (...segments: object[]) => segmentEdits(before, withSegments(...segments));

test('segments that come after all others are new and change nobody but default', () => {
  expect(edits(named('gold'), named('silver'), named('vip'), named('new'))).toEqual({
    added: ['vip', 'new'],
    problems: [],
  });
  expect(edits(named('gold'), named('silver'))).toEqual({ added: [], problems: [] });
});

test('whatever makes another segment of one that was there is told with how to mend it', () => {
  expect(edits(named('gold')).problems).toEqual(['it removes segment "silver": keep it']);
  expect(edits(named('gold', 'context.tier == "g"'), named('silver')).problems).toEqual([
    'it changes segment "gold": give the new definition a name of its own',
  ]);
  expect(edits(named('gold'), { ...named('silver'), representative: false }).problems).toHaveLength(1);
  expect(edits(named('silver'), named('gold')).problems).toEqual([
    'it puts segments in another order: keep gold, silver',
  ]);
  expect(edits(named('gold'), named('vip'), named('silver'), named('new'))).toEqual({
    added: ['vip', 'new'],
    problems: ['it puts "vip" before "silver": put it after'],
  });
  expect(edits(named('vip'), named('gold')).problems).toEqual([
    'it removes segment "silver": keep it',
    'it puts "vip" before "gold": put it after',
  ]);
});

test('the difference says which segments come, go and are others, and where a new one stands', () => {
  const diff = (...segments: object[]) =>
    diffAgents(before, withSegments(...segments)).map(
      ({ sign, what, detail }) => `${sign} ${what}: ${detail}`,
    );
  expect(diff(named('gold'), named('silver'), named('vip'))).toEqual([
    '+ segment vip: context.tier == "vip"',
  ]);
  expect(diff(named('vip'), named('gold', 'context.tier == "g"'))).toEqual([
    '- segment silver: context.tier == "silver"',
    '~ segment gold: context.tier == "g"',
    '+ segment vip: context.tier == "vip"',
    '~ order of segments: vip, gold',
  ]);
});
