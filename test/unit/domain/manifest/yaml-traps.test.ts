import { describe, expect, test } from 'vitest';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { AGENT_YAML, RELEASE_YAML } from './fixtures.ts';

const agentProblems = (from: string, to: string): string => {
  expect(AGENT_YAML).toContain(from);
  const result = readManifest('agent.yaml', AGENT_YAML.replace(from, to), 'agent');
  return result.ok ? 'valid' : formatProblems(result.problems);
};
const release = (written: string): string => {
  const result = readManifest(
    'release.yaml',
    RELEASE_YAML.replace('release: 1\n', `release: ${written}\n`),
    'release',
  );
  return result.ok ? `release ${result.value.release}` : formatProblems(result.problems);
};

describe('the name of a release is what was written, or refused', () => {
  test.each([
    ['0362525', '0362525 is read as the number 362525 - Put it in quotes: "0362525"'],
    ['680841e1', '680841e1 is read as 6808410 - Put it in quotes: "680841e1"'],
    ['12e3', '12e3 is read as 12000 - Put it in quotes: "12e3"'],
    ['0x1F', '0x1F is read as the number 31 - Put it in quotes: "0x1F"'],
    ['0o17', '0o17 is read as the number 15 - Put it in quotes: "0o17"'],
    ['1.0', '1.0 is read as 1 - Put it in quotes: "1.0"'],
    ['+5', '+5 is read as 5 - Put it in quotes: "+5"'],
    ['1.10', '"release" is read as 1.1 - Put it in quotes'],
    ['12345678901234567890', '12345678901234567890 is read as the number 12345678901234567000'],
    ['.inf', '.inf is read as the number Infinity'],
    ['true', '"release" is read as true - Put it in quotes'],
    ['~', '"release" is read as null - Put it in quotes'],
  ])('%s', (written, expected) => {
    expect(release(written)).toContain(expected);
    expect(release(written)).toMatch(/^release\.yaml:2:10 /);
  });

  test.each([
    ['12', 'release 12'],
    ['"0362525"', 'release 0362525'],
    ["'12e3'", 'release 12e3'],
    ['2026-11-29', 'release 2026-11-29'],
    ['v1.0', 'release v1.0'],
    ['1_000', 'release 1_000'],
    ['no', 'release no'],
  ])('but %s is %s', (written, expected) => expect(release(written)).toBe(expected));
});

describe('keys and values that YAML would change are refused at their line', () => {
  test.each([
    ['a person', 'ben: {}', '007: {}', 'agent.yaml:2:30 The key 007 is read as 7 - Put it in quotes: "007"'],
    ['an owner', '[olga]', '[007]', 'agent.yaml:3:10 007 is read as the number 7 - Put it in quotes: "007"'],
    [
      'an owner as a number',
      '[olga]',
      '[12e3]',
      'agent.yaml:3:10 "owners[0]" is a number, not text - Put it in quotes',
    ],
    ['a key that is nothing', 'ben: {}', '~: {}', 'The key ~ is read as nothing'],
    ['a key that is a truth', 'ben: {}', 'True: {}', 'The key True is read as true'],
    [
      'one person twice, once in quotes',
      'ben: {}',
      '7: {}, "7": {}',
      'The key "7" stands here twice - Keep one of the two',
    ],
    ['one person twice', 'ben: {}', 'ana: {}', 'Keep one of the two'],
    ['a list as a key', 'ben: {}', '[a]: {}', 'Only text can be a key here'],
    [
      'a listed value',
      'note: { type: string }',
      'note: { enum: [1.0, 012] }',
      '012 is read as the number 12',
    ],
    [
      'a listed value that may be either',
      'note: { type: string }',
      'note: { enum: [1.0] }',
      '1.0 is read as 1 - Put it in quotes: "1.0", or write 1 if it is a number',
    ],
    [
      'a merge',
      'args: { type: object, required: [id],',
      'args: { <<: { type: object }, required: [id],',
      '"<<" is no merge here: it would stay a key',
    ],
    ['a tag', 'note: { type: string }', 'note: { const: !!binary aGk= }', 'The tag'],
    [
      'a bound in hexadecimal',
      'note: { type: string }',
      'note: { type: integer, maximum: 0x1F }',
      '0x1F is read as the number 31',
    ],
  ])('%s', (_what, from, to, expected) => expect(agentProblems(from, to)).toContain(expected));

  test('an alias inside of what it stands for', () => {
    expect(agentProblems('metrics: {', 'x: &x { a: *x, b: *x }\nmetrics: {')).toContain(
      'agent.yaml:9:12 This alias stands inside of what it stands for',
    );
  });

  test('YAML 1.1, where yes is a truth', () => {
    expect(agentProblems('agent: desk', '%YAML 1.1\n---\nagent: desk')).toContain('This is YAML 1.1');
  });

  test('numbers where numbers are meant may be written as people like', () => {
    expect(
      agentProblems(
        'amount: { type: integer }',
        'amount: { type: number, maximum: 1.0e3, multipleOf: 0.10 }',
      ),
    ).toBe('valid');
    expect(agentProblems('note: { type: string }', 'note: { const: "<<", properties: { "<<": {} } }')).toBe(
      'valid',
    );
  });
});
