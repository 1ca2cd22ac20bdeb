import { describe, expect, test } from 'vitest';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { AGENT_YAML, agentOf } from './fixtures.ts';

const agent = agentOf({ metrics: { wrong: { unit: 'conversation', business: 'workload' } } });

const releaseProblems = (grant: string, rollout = ''): string => {
  const text = `agent: desk\nrelease: 1\ngrants:\n  - { tool: cancel, ${grant} }\n${rollout}`;
  const result = readManifest('release.yaml', text, 'release', agent);
  return result.ok ? 'valid' : formatProblems(result.problems);
};

describe('what can mean nothing is refused with its range', () => {
  test.each([
    [
      'approval: { group: desk, expiresIn: 99999999999d }',
      '"expiresIn" cannot be "99999999999d" - Write a duration from 10s to 90d',
    ],
    ['approval: { group: desk, expiresIn: 9999999d }', 'Write a duration from 10s to 90d'],
    [
      'approval: { group: desk, expiresIn: 1ms }',
      '"expiresIn" cannot be "1ms" - Write a duration from 10s to 90d',
    ],
    ['approval: { group: desk, expiresIn: 0s }', 'Write a duration from 10s to 90d'],
    [`approval: { group: desk, expiresIn: ${'9'.repeat(400)}d }`, 'Write a duration from 10s to 90d'],
    ['approval: { group: desk, remindAfter: 1ms }', 'Write a duration from 10s to 90d'],
    ['approval: { group: desk, escalate: [{ after: 0s, to: desk }] }', 'Write a duration from 1s to 90d'],
    ['approval: desk, credential: { ttl: 2m }', '"ttl" cannot be "2m" - Write a duration from 1s to 60s'],
    ['approval: desk, credential: { ttl: 1ms }', 'Write a duration from 1s to 60s'],
    ['approval: desk, limits: { perDay: 99999999999 }', '"perDay" is too large - Write at most 1000000'],
    ['approval: desk, earn: { above: 0.9, matureAfter: 9999999d }', 'Write a duration from 0s to 366d'],
  ])('%s', (grant, expected) => {
    expect(releaseProblems(grant)).toContain(expected);
    expect(releaseProblems(grant)).toMatch(/^release\.yaml:4:\d+ /);
  });

  test.each(['approval: { group: desk, expiresIn: 90d }', 'approval: { group: desk, expiresIn: 10s }'])(
    'but not %s',
    (grant) => expect(releaseProblems(grant)).toBe('valid'),
  );

  test.each([
    ['0.004', '"gold" cannot be 0.004 - Write 0 to 100 in steps of 0.01'],
    ['12.345', '"gold" cannot be 12.345 - Write 0 to 100 in steps of 0.01'],
    ['0.01', 'valid'],
    ['1.13', 'valid'],
    ['50', 'valid'],
  ])('exposure: %s', (percent, expected) => {
    const rollout = `rollout:\n  constrained: [{ days: 30, exposure: { gold: ${percent} } }]\n`;
    expect(releaseProblems('approval: desk', rollout)).toContain(expected);
  });

  test('a metric and a live group', () => {
    const read = (from: string, to: string): string => {
      const result = readManifest('agent.yaml', AGENT_YAML.replace(from, to), 'agent');
      return result.ok ? 'valid' : formatProblems(result.problems);
    };
    expect(read('unit: conversation', 'unit: conversation, matureAfter: 400d')).toContain(
      `"matureAfter" cannot be "400d" - Write a duration from 0s to 366d`,
    );
    expect(read('desk: [ana, ben]', 'desk: { slackGroup: S1, staleAfter: 1ms }')).toContain(
      '"staleAfter" cannot be "1ms" - Write a duration from 10s to 90d',
    );
  });
});
