import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../src/domain/decision/compile.ts';
import { decide, type World } from '../../../src/domain/decision/decide.ts';
import { readManifest } from '../../../src/domain/manifest/manifest.ts';
import { formatProblems } from '../../../src/domain/problem.ts';
import { normalSubject, onAgentsWord } from '../../../src/domain/subject.ts';
import { AGENT_YAML, agentOf, RELEASE_YAML, releaseOf } from './manifest/fixtures.ts';

describe('normalSubject()', () => {
  test.each([
    ['Jose\u0301', 'Jos\u00e9'],
    ['  guest-1\u00a0\t', 'guest-1'],
    ['guest-1\u200b', 'guest-1'],
    ['\ufeffguest-1\u2060', 'guest-1'],
    ['\u180bguest-1\u{e0020}', 'guest-1'],
    ['a b', 'a b'],
    [' \u200b ', ''],
  ])('%j is %j', (given, expected) => expect(normalSubject(given)).toBe(expected));
});

describe('where the subject comes from', () => {
  const agent = agentOf({
    attributes: { tier: 'string', customer: 'string' },
    assertions: { jwks: 'https://crm.example.com/jwks.json' },
    segments: [
      { name: 'gold', when: 'context.tier == "gold"', subject: 'context.customer' },
      { name: 'silver', when: 'context.tier == "silver"' },
    ],
  });
  const exposed = { exposure: 5_000, generation: 1, state: 'exposed' as const };
  const made = new Map<string, World>();
  const world = (subject: string): World => {
    const known = made.get(subject) ?? makeWorld(subject);
    made.set(subject, known);
    return known;
  };
  const makeWorld = (subject: string): World => ({
    agent: compileAgent(agent),
    switches: [],
    inForce: { default: '1', gold: '1', silver: '1' },
    releases: {
      1: compileRelease(releaseOf([{ tool: 'lookup' }]), agent),
      2: compileRelease(releaseOf([{ tool: 'lookup' }], { release: 2 }), agent),
    },
    rollout: {
      id: 'r',
      release: '2',
      salt: 's',
      subject,
      segments: { default: exposed, gold: exposed, silver: exposed },
    },
  });
  const ask = (subject: string, tier: string, more: Record<string, unknown> = {}) =>
    decide(
      {
        tool: 'lookup',
        args: {},
        attributes: { tier, customer: 'c-1' },
        claimed: {},
        subject: 'said',
        ...more,
      },
      world(subject),
    );

  test('the segment says so before the release, and then what the agent says is no matter', () => {
    expect(ask('assertion.sub', 'gold', { vouched: 'v-1' }).subject).toEqual({ name: 'c-1', by: 'context' });
    expect(ask('assertion.sub', 'silver', { vouched: 'v-1' }).subject).toEqual({
      name: 'v-1',
      by: 'assertion',
    });
    const buckets = new Set(
      Array.from(
        { length: 50 },
        (_, n) => ask('assertion.sub', 'silver', { vouched: 'v-1', subject: `try-${n}` }).bucket,
      ),
    );
    expect(buckets.size).toBe(1);
    expect(ask('conversation', 'silver').subject).toEqual({ name: 'said', by: 'agent' });
  });

  test('where it is not said by whoever should, the call is denied: leaving it out chooses no arm', () => {
    const denied = { outcome: 'denied', reasons: [{ code: 'attribute_missing' }] };
    expect(ask('assertion.sub', 'silver')).toMatchObject(denied);
    expect(ask('assertion.sub', 'silver', { vouched: ' ' })).toMatchObject(denied);
    expect(ask('assertion.sub', 'gold', { attributes: { tier: 'gold', customer: '' } })).toMatchObject(
      denied,
    );
    expect(ask('conversation', 'silver', { subject: '\u200b' })).toMatchObject({
      outcome: 'denied',
      reasons: [{ code: 'args_invalid' }],
    });
  });

  test('one customer is one, however spelled, and a surplus one stays in control', () => {
    expect(ask('x', 'silver', { subject: 'Jose\u0301 ' })).toEqual(
      ask('x', 'silver', { subject: 'Jos\u00e9' }),
    );
    for (let n = 0; n < 50; n++)
      expect(ask('x', 'silver', { subject: `s-${n}`, surplus: true })).toMatchObject({
        arm: 'control',
        release: '1',
        surplus: true,
      });
  });

  test('is said where exposure rests on the agent alone', () => {
    expect(onAgentsWord(agent, 'conversation')).toEqual(['silver', 'default']);
    expect(onAgentsWord(agent, 'assertion.sub')).toEqual([]);
    expect(onAgentsWord(agent, undefined)).toEqual(['silver', 'default']);
  });

  test.each([
    [
      'asertion.sub',
      'r.yaml:7:21 "asertion.sub" does not say where the subject comes from - Did you mean "assertion.sub"?',
    ],
    [
      'assertion.sub',
      'No assertion can be verified, so none can name the subject - Set assertions.jwks of the agent',
    ],
    ['context.teir', 'There is no attribute "teir" of type string or int - Did you mean "context.tier"?'],
    ['token.customer', '"token.customer" does not say where the subject comes from'],
  ])('a source that is none is refused: %s', (subject, expected) => {
    const plain = readManifest('a.yaml', AGENT_YAML, 'agent');
    if (!plain.ok) throw new Error(formatProblems(plain.problems));
    const read = readManifest(
      'r.yaml',
      `${RELEASE_YAML}rollout: { subject: ${subject} }\n`,
      'release',
      plain.value,
    );
    expect(read.ok ? 'valid' : formatProblems(read.problems)).toContain(expected);
    const segment = readManifest(
      'a.yaml',
      AGENT_YAML.replace('"gold" }', `"gold", subject: ${subject} }`),
      'agent',
    );
    expect(segment.ok ? 'valid' : formatProblems(segment.problems)).toContain(
      expected.replace(/^r.yaml:\S+ /, ''),
    );
  });
});
