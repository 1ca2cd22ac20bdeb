import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Agent, agentSchema } from '../../../src/domain/agent.ts';
import { isNamed, namingNobody, personNamed } from '../../../src/domain/naming.ts';

const MANIFEST = {
  agent: 'desk',
  people: {
    ana: { name: 'Ana Ruíz', email: 'ana@example.com', slack: 'U0ANA/T0X' },
    ben: { email: 'Ben.Roth+work@GMAIL.com' },
    cleo: { name: 'Cléo Groß', email: 'cleo@xn--bcher-kva.example' },
    dora: {},
  },
  owners: ['dora'],
  approvers: { desk: ['ana', 'ben', 'cleo'] },
  tools: {},
};
/** One of its own for each test: names are folded once for a manifest. */
let agent: Agent;
beforeEach(() => {
  agent = agentSchema.parse(MANIFEST);
});

describe('isNamed() means ana', () => {
  test.each([
    'ana',
    'ANA',
    '@ana',
    'person:ana',
    'ana@example.com',
    'Ana@Example.COM',
    'ana@example.com.',
    'Ana Ruiz <ana@example.com>',
    '"Ruiz, Ana" <ana@example.com>',
    'Ana (ana@example.com)',
    'ana@example.com (on call)',
    '<ana@example.com>',
    'mailto:ana@example.com?subject=hi',
    '<mailto:ana@example.com|ana@example.com>',
    'on behalf of Ana <ana@example.com>',
    'ana+ai@example.com',
    'ana+ai+more@example.com',
    'ben@other.test, ana@example.com',
    'someone ana@example.com',
    'Team: ana@example.com, x@example.com;',
    'Ana Ruíz',
    'Ana Rui\u0301z',
    'ana  rui\u0301z',
    'Ana\u00a0Ruíz',
    '\uff21\uff2e\uff21',
    'ana\uff20example.com',
    '\uff41na@example.com',
    'ana\u200b',
    '\u2060ana@example.com',
    'an\u00ada@example.com',
    '<@U0ANA|ana>',
    '<@U0ANA>',
    ' <@U0ANA> ',
    '\u00a0@ana',
    ' person:U0ANA',
    'u0ana',
    'U0ANA/T0X',
    'T0X/U0ANA',
    'slack:U0ANA',
  ])('by %j', (named) => {
    expect(isNamed(agent, 'ana', [named])).toBe(true);
    expect(isNamed(agent, 'dora', [named])).toBe(false);
  });
});

test.each([
  ['ben', 'ben.roth@gmail.com'],
  ['ben', 'benroth@googlemail.com'],
  ['ben', 'b.e.n.roth+x@gmail.com'],
  ['cleo', 'cleo@bücher.example'],
  ['cleo', 'CLÉO GROSS'],
])('isNamed() means %s by %j', (person, named) => {
  expect(isNamed(agent, person, [named])).toBe(true);
});

test.each([
  'anna',
  'ana@example.org',
  'ana@sub.example.com',
  'xana@example.com',
  'an',
  '',
  ' ',
  '@',
  '<>',
  'b.en@other.test',
])('isNamed() means nobody by %j', (named) => {
  for (const person of Object.keys(agent.people)) expect(isNamed(agent, person, [named])).toBe(false);
});

test('whoever writes an address in whatever way people and mail programs do names its owner', () => {
  const blank = fc.constantFrom('', ' ', '\u00a0', '\u200b', '\u3000', '\ufeff');
  const style = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toUpperCase(),
    (text: string) => text.normalize('NFD'),
    (text: string) => [...text].map((char) => (/[a-z@.]/.test(char) ? wide(char) : char)).join(''),
    (text: string) => `Somebody <${text}>`,
    (text: string) => `${text} (mail)`,
    (text: string) => text.replace('@', '+tag@'),
    (text: string) => text.split('').join('\u200b'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('ana@example.com', 'cleo@bücher.example'),
      style,
      blank,
      blank,
      (email, write, a, b) => {
        const person = email.split('@')[0] ?? '';
        expect(isNamed(agent, person, ['stranger', `${a}${write(email)}${b}`])).toBe(true);
      },
    ),
  );
});

const wide = (char: string): string => String.fromCodePoint((char.codePointAt(0) ?? 0) + 0xfee0);

test('namingNobody() tells what nobody can tell who it is', () => {
  const named = [
    'ana',
    'Guest 4711',
    'Ana <ana@example.com>',
    'x@example.com',
    'ana@example.com, y@example.com',
    '\u0430na',
  ];
  expect(namingNobody(agent, named)).toEqual([
    'Guest 4711',
    'x@example.com',
    'ana@example.com, y@example.com',
    '\u0430na',
  ]);
  expect(namingNobody(agent, [])).toEqual([]);
});

test('personNamed() is one person or nobody', () => {
  expect(personNamed(agent, '@ben')).toBe('ben');
  expect(personNamed(agent, '<@U0ANA|whoever>')).toBe('ana');
  expect(personNamed(agent, 'ana@example.com, cleo')).toBeUndefined();
  expect(personNamed(agent, 'zoe')).toBeUndefined();
});

test('parsing whatever an agent sends never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(isNamed(agent, 'ana', [text])).toBeTypeOf('boolean');
    }),
    { numRuns: 200 },
  );
  for (const text of ['<'.repeat(200), '"('.repeat(100), 'a@'.repeat(100), 'a:'.repeat(100)])
    expect(namingNobody(agent, [text])).toEqual([text]);
});
