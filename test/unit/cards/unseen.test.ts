import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeHtml } from '../../../src/api/pages/html.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { inline, label } from '../../../src/cards/blocks/mrkdwn.ts';
import { plain } from '../../../src/cli/text/render.ts';
import { diffArgs } from '../../../src/domain/decision/args-diff.ts';
import { compileAgent } from '../../../src/domain/decision/compile.ts';
import { renderSummary } from '../../../src/domain/decision/summary.ts';
import { agentOf } from '../domain/manifest/fixtures.ts';
import { AT, cardFacts, read } from './facts.ts';

/** Whatever people cannot see or take for a space, a line break apart. */
const HIDDEN =
  /\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}|(?![ \n])[\p{White_Space}\p{Cc}]|[\u2800\ufffc]/u;
const hidden = fc.constantFrom(
  ...[
    0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e, 0x200b, 0x200d, 0x202e, 0x2060, 0x2068,
    0x2800,
  ],
  ...[0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0x1d173, 0xe0001, 0xe0041, 0xe0100, 0xe0fff],
  ...[0x85, 0xa0, 0x1680, 0x2000, 0x2009, 0x2028, 0x202f, 0x205f, 0x3000],
);
const hostile = fc
  .array(
    fc.oneof(
      hidden.map((point) => String.fromCodePoint(point)),
      fc.constantFrom('a', ' ', 'b@c.example', '.'),
    ),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(''));

test('nothing that the agent or people write reaches a card, a page or a terminal unseen', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const change = { path: text, before: text, after: `${text}x`, sign: '~' } as const;
      const card = actionCard(
        cardFacts({
          action: {
            summary: text,
            why: text,
            behind: [text],
            tool: text,
            links: [text],
            asked_by: text,
            round: 1,
          },
          args: { [text]: text },
          names: { ana: text },
          edits: [{ editor: 'ana', at: AT, via: 'web', reason: text }],
          edited: [change],
          last: { id: 'x', at: AT, state: 'executed', wrong: false, changes: [change] },
        }),
      );
      expect(read(card)).not.toMatch(HIDDEN);
      expect(card.text).not.toMatch(HIDDEN);
      for (const shown of [inline(text, 500), label(text, 500), escapeHtml(text), plain(text)])
        expect(shown).not.toMatch(HIDDEN);
    }),
    { numRuns: 300 },
  );
});

describe('a difference that people cannot see is spelled out', () => {
  const pay = compileAgent(agentOf({ tools: { pay: { summary: 'Pay {to}' } } })).tools.get('pay');
  const title = (text: string) => (pay ? renderSummary(pay, { to: text }) : '');
  const shown = (before: string, after: string): string => {
    const changes = diffArgs({ to: before }, { to: after });
    return read(actionCard(cardFacts({ action: { round: 1 }, edited: changes, args: { to: after } })));
  };

  test.each([
    ['a no-break space', 'Ana Ruiz', 'Ana\u00a0Ruiz', '\\u{a0}'],
    ['an ideographic space', 'Ana Ruiz', 'Ana\u3000Ruiz', '\\u{3000}'],
    ['a second space', 'Ana Ruiz', 'Ana  Ruiz', '\\u{20}'],
    ['a variation selector', 'Ana', 'Ana\ufe0f', '\\u{fe0f}'],
    ['a tag', 'Ana', 'Ana\u{e0061}', '\\u{e0061}'],
    ['a letter of another script in an address', 'ana@example.com', 'an\u0430@example.com', '\\u{430}'],
    ['a full-width letter in an address', 'ana@example.com', '\uff41na@example.com', '\\u{ff41}'],
  ])('%s', (_, before, after, mark) => {
    const line = shown(before, after)
      .split('\n')
      .find((each) => each.includes('→'));
    const [old, fresh] = line?.split('→') ?? [];
    expect(old).not.toContain(mark);
    expect(fresh).toContain(mark);
    expect(inline(title(before), 300)).not.toBe(inline(title(after), 300));
  });
});

test.each([
  'почта@пример.рф',
  'müller@bücher.example',
  '山田@example.jp',
  'jose\u0301@example.com',
  'Größe 5.5, très bien. Да.',
  'naïve — “quoted” … 5 €, ☃',
])('%s is written in one script and stays as it is', (text) => {
  expect(inline(text, 200)).toBe(text);
});
