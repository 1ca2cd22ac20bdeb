import { describe, expect, test } from 'vitest';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { agentOf } from './fixtures.ts';

const agent = agentOf();

describe('a release is refused', () => {
  test.each<[string, string, string]>([
    [
      'a condition that lets run what an unconditional grant asks about',
      '  - { tool: cancel, when: args.id == "x", approval: none }\n  - { tool: cancel, approval: desk }',
      'r.yaml:5:13 No request ever gets its answer from this grant: by line 6 desk is asked about everything it matches, and asking beats allowing - Say both in one grant, approval: { group: desk, unless: \'args.id == "x"\' }, or make the conditions exclude each other',
    ],
    [
      'a narrower number than one that is asked about',
      '  - { tool: refund, when: args.amount < 100, approval: desk }\n  - { tool: refund, when: args.amount < 50, approval: none }',
      'r.yaml:6:13 No request ever gets its answer from this grant: by line 5 desk is asked',
    ],
    [
      'what is denied altogether',
      '  - { tool: cancel, deny: never }\n  - { tool: [refund, cancel], approval: desk }',
      'r.yaml:6:22 No request ever gets its answer from this grant: by line 5 everything it matches is denied',
    ],
    [
      'what two others allow together',
      '  - { tool: refund, when: args.amount < 9, approval: none }\n  - { tool: refund, when: args.amount > 4, approval: none }\n  - { tool: refund, approval: none }',
      'r.yaml:7:13 No request ever gets its answer from this grant: by lines 5 and 6 everything it matches is allowed',
    ],
    [
      'an approval that adds nothing to another',
      '  - { tool: cancel, approval: { group: desk, quorum: 2 } }\n  - { tool: cancel, approval: desk, when: args.id == "x" }',
      'r.yaml:6:13 No request ever gets its answer from this grant: by line 5 2 of desk is asked',
    ],
    [
      'an unless beside one that always asks',
      '  - { tool: cancel, approval: { group: desk, unless: \'args.id == "x"\' } }\n  - { tool: cancel, approval: { group: desk, reason: required } }',
      'r.yaml:5:13 Its "unless" lets nothing run unasked: by line 6 all of that is asked or denied',
    ],
    [
      'an unless that holds always',
      '  - { tool: refund, when: args.amount < 50, approval: { group: desk, unless: args.amount < 100 } }',
      'It holds for everything the grant matches, so nobody is ever asked',
    ],
    [
      'an unless that holds never',
      '  - { tool: refund, when: args.amount > 50, approval: { group: desk, unless: args.amount < 10 } }',
      'It holds for nothing the grant matches, so everything is asked',
    ],
    [
      'an unless about what is not there',
      '  - { tool: cancel, approval: { group: desk, unless: args.nope == 1 } }',
      'r.yaml:5:59 There is no "nope" here',
    ],
    [
      'an unless without anybody to ask',
      '  - { tool: cancel, approval: { unless: args.id == "x" } }',
      'It does not say who approves',
    ],
    [
      'a denial that asks',
      '  - { tool: cancel, deny: never, approval: desk }',
      'r.yaml:5:44 The grant denies, so nobody is ever asked - Remove approval, or remove deny',
    ],
    [
      'a condition that two comparisons make impossible',
      '  - { tool: refund, when: args.amount < 5 && args.amount > 10, approval: desk }',
      'The condition is never true, so the grant does nothing',
    ],
  ])('with %s', (_, grants, expected) => {
    const result = readManifest(
      'r.yaml',
      `agent: desk\nrelease: 1\n\ngrants:\n${grants}\n`,
      'release',
      agent,
    );
    expect(result.ok ? 'valid' : formatProblems(result.problems)).toContain(expected);
  });

  test.each<[string, string]>([
    [
      'conditions that exclude each other',
      '  - { tool: refund, when: args.amount < 5, approval: none }\n  - { tool: refund, when: args.amount >= 5, approval: desk }',
    ],
    [
      'a stricter grant within a wider one',
      '  - { tool: refund, approval: desk }\n  - { tool: refund, when: args.amount > 5, approval: { group: desk, reason: required } }',
    ],
    [
      'a denial within an allowance',
      '  - { tool: refund, approval: none }\n  - { tool: refund, when: args.amount > 5, deny: too much }',
    ],
    ['both in one', '  - { tool: refund, approval: { group: desk, unless: args.amount < 5 } }'],
  ])('but not with %s', (_, grants) => {
    const result = readManifest(
      'r.yaml',
      `agent: desk\nrelease: 1\n\ngrants:\n${grants}\n`,
      'release',
      agent,
    );
    expect(result.ok ? 'valid' : formatProblems(result.problems)).toBe('valid');
  });
});
