import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTION_STATES } from '../../../src/domain/action.ts';
import { actionCard } from '../../../src/slack/cards/action-card.ts';
import { plainBlocks } from '../../../src/slack/cards/message.ts';
import { codePieces, cut, dateText, escapeText, inline, link } from '../../../src/slack/mrkdwn.ts';
import { AT, approvedBy, cardFacts, read } from './facts.ts';

const piece = fc.constantFrom(
  '<!channel>',
  '<@U0ANA>',
  '<https://evil.test|safe>',
  '&lt;',
  '&',
  '```',
  '*bold*',
  '_i_',
  ':white_check_mark:',
  '\n> quote',
  '\u202e',
  '\u200b',
  '\u2800',
  '\0',
  '\ud800',
  '😀',
  'é',
  '@here',
  '\u2028',
  '|',
  '"',
  '\\',
  ' ',
  'x'.repeat(500),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
);
const long = fc
  .tuple(text, fc.integer({ min: 1, max: 400 }))
  .map(([part, times]) => part.repeat(times).slice(0, 60_000));

test('no card breaks a limit of Slack, whatever the agent and people write', () => {
  fc.assert(
    fc.property(
      fc.record({
        state: fc.constantFrom(...ACTION_STATES),
        summary: text,
        why: fc.option(long),
        deny_reason: fc.option(long),
        correction_reason: fc.option(long),
        error_code: fc.option(text),
        links: fc.array(fc.oneof(text, fc.webUrl()), { maxLength: 12 }),
        behind: fc.option(text),
        asked_by: text,
        agent_version: text,
        segment: fc.option(text),
      }),
      fc.dictionary(text, fc.oneof(long, fc.integer(), fc.array(text, { maxLength: 5 })), { maxKeys: 5 }),
      fc.record({
        consequence: fc.option(long, { nil: undefined }),
        undo: fc.option(long, { nil: undefined }),
      }),
      fc.record({
        people: fc.integer({ min: 0, max: 20 }),
        name: long,
        reason: fc.option(long, { nil: undefined }),
      }),
      (action, args, tool, { people, name, reason }) => {
        const ids = Array.from({ length: people }, (_, index) => `p${index}`);
        const card = actionCard(
          cardFacts({
            action: { ...action, corrected_at: action.correction_reason ? AT : null, corrected_by: name },
            args,
            tool: { risk: 'low', reversibility: 'irreversible', advisory: true, ...tool },
            decisions: ids.map(approvedBy),
            approvers: ids,
            names: Object.fromEntries(ids.map((id) => [id, name])),
            ended: { by: name, at: AT, reason },
            testMode: true,
          }),
        );
        read(card);
        read({ text: card.text, blocks: plainBlocks(card) });
        expect(JSON.stringify(card)).not.toMatch(/<!channel|<@U0ANA|<https:\/\/evil\.test\|safe/);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test('cut() keeps entities and characters whole', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 120 }), (raw, max) => {
      const shown = cut(escapeText(raw), max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown.replace(/&(amp|lt|gt);/g, '')).not.toMatch(/[&<>]/);
      if (!/\p{Surrogate}/u.test(raw)) expect(shown).not.toMatch(/\p{Surrogate}/u);
    }),
  );
});

test('inline() leaves nothing that Slack would read as more than text', () => {
  expect(inline('<!channel> & <@U1> *b* `c` ~d~ _e_ snake_case_id', 200)).toBe(
    '&lt;!channel&gt; &amp; &lt;@U1&gt; ∗b∗ ˋcˋ ∼d∼ ˍeˍ snake_case_id',
  );
  expect(inline('a\nb\u202ec @here :white_check_mark: 12:30:45', 200)).toBe(
    'a b\\u{202e}c ＠here ꞉white_check_mark꞉ 12:30:45',
  );
  expect(inline('> approved by Ana', 200)).toBe('› approved by Ana');
});

test('codePieces() shows the whole text in order, or says how much is missing', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 40, max: 90 }), (raw, size) => {
      const { pieces, left } = codePieces(raw, size, 3);
      for (const shown of pieces) expect(shown.length).toBeLessThanOrEqual(size);
      expect(pieces.join('')).not.toMatch(/```/);
      expect(pieces.length).toBeLessThanOrEqual(3);
      if (left === 0) expect(pieces.join('').length).toBeGreaterThanOrEqual(pieces.length);
    }),
  );
  expect(codePieces('abc', 40, 1)).toEqual({ pieces: ['abc'], left: 0 });
  expect(codePieces(`${'a'.repeat(40)}😀b`, 40, 1)).toEqual({ pieces: ['a'.repeat(40)], left: 2 });
});

test('link() shows where it leads, and links nothing but http(s)', () => {
  expect(link('https://x.test/a?b=1&c=<d>|e', 'https://x.test/a')).toBe(
    '<https://x.test/a?b=1&amp;c=%3Cd%3E%7Ce|https://x.test/a>',
  );
  expect(link('javascript:alert(1)', 'javascript:alert(1)')).toBe('javascript:alert(1)');
  expect(dateText(AT)).toBe('<!date^1772445600^{date_short_pretty} at {time}|2026-03-02 10:00 UTC>');
});
