import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAgent } from '../../../../src/domain/decision/compile.ts';
import type { CompiledTool } from '../../../../src/domain/decision/compiled.ts';
import { redact } from '../../../../src/domain/decision/redact.ts';
import { renderSummary } from '../../../../src/domain/decision/summary.ts';
import { agentOf } from '../manifest/fixtures.ts';

const toolOf = (more: Record<string, unknown>): CompiledTool => {
  const compiled = compileAgent(agentOf({ tools: { book: more } })).tools.get('book');
  if (!compiled) throw new Error('no tool');
  return compiled;
};
const book = toolOf({
  redact: ['passengers[].dob', 'card', 'payer.address.street'],
  summary: 'Book for {who}: {passengers}, {payer}',
});

describe('redact()', () => {
  test('replaces what the paths name and leaves the rest and the original alone', () => {
    const args = {
      who: 'mia',
      card: { no: '4111' },
      passengers: [{ name: 'Mia', dob: '1990' }, { name: 'Leo' }],
      payer: { address: { street: 'A 1', city: 'B' } },
    };
    const before = structuredClone(args);
    expect(redact(book, args)).toEqual({
      who: 'mia',
      card: '[redacted]',
      passengers: [{ name: 'Mia', dob: '[redacted]' }, { name: 'Leo' }],
      payer: { address: { street: '[redacted]', city: 'B' } },
    });
    expect(args).toEqual(before);
  });

  test.each([
    [{ passengers: 'born 1990' }],
    [{ passengers: { dob: '1990' } }],
    [{ passengers: ['1990'] }],
    [{ passengers: [[{ dob: '1990' }]] }],
    [{ payer: ['1990'] }],
    [{ payer: { address: '1990' } }],
  ])('replaces a value of another shape whole: %j', (args) => {
    expect(JSON.stringify(redact(book, args))).not.toContain('1990');
  });

  test('shows nothing of a tool that is not known', () => {
    expect(redact(undefined, { secret: 'x', n: 1 })).toEqual({ secret: '[redacted]', n: '[redacted]' });
  });

  test('no value below a redacted path survives, whatever the arguments', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (inner) => {
        const hide = (value: unknown): unknown =>
          typeof value === 'object' && value !== null
            ? Array.isArray(value)
              ? [...value.map(hide), 'SECRET']
              : Object.fromEntries([
                  ...Object.entries(value).map(([key, member]) => [key, hide(member)]),
                  ['dob', 'SECRET'],
                ])
            : 'SECRET';
        const card = hide(inner);
        const passengers = [{ name: 'x', dob: hide(inner) }, 'SECRET', [card]];
        expect(JSON.stringify(redact(book, { card, passengers }))).not.toContain('SECRET');
      }),
    );
  });
});

describe('renderSummary()', () => {
  test('fills the template, redacted values marked, missing ones named so', () => {
    const line = renderSummary(book, {
      passengers: [{ dob: '1990' }],
      payer: { address: { street: 'A 1' } },
    });
    expect(line).toBe('Book for (none): [{"dob":"[redacted]"}], {"address":{"street":"[redacted]"}}');
  });

  test('spells out characters that cannot be seen', () => {
    expect(renderSummary(toolOf({ summary: 'Pay {to}' }), { to: 'a\u202eb\nc' })).toBe(
      'Pay a\\u{202e}b\\u{a}c',
    );
  });

  test('lists the arguments when the tool has no template', () => {
    expect(renderSummary(toolOf({ redact: ['b'] }), { a: 1, b: 'x' })).toBe('book a=1 b=[redacted]');
  });

  test('stays one short line', () => {
    const args = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`key${at}`, 'x'.repeat(500)]));
    expect(renderSummary(toolOf({}), args).length).toBeLessThanOrEqual(280);
  });
});

test('a path with * hides the member of every entry, and a list behind it too', () => {
  const tool = toolOf({
    redact: ['byName.*.ssn', 'groups.*[].dob'],
    args: { type: 'object', properties: { byName: { additionalProperties: {} } } },
  });
  const args = {
    byName: { ana: { ssn: '1', city: 'x' }, ben: { ssn: '2' } },
    groups: { a: [{ dob: '1990' }, { city: 'y' }], b: 'text' },
  };
  expect(redact(tool, args)).toEqual({
    byName: { ana: { ssn: '[redacted]', city: 'x' }, ben: { ssn: '[redacted]' } },
    groups: { a: [{ dob: '[redacted]' }, { city: 'y' }], b: '[redacted]' },
  });
});
