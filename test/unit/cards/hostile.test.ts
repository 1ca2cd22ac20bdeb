import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionCard } from '../../../src/cards/action-card.ts';
import { plainBlocks } from '../../../src/cards/blocks/message.ts';
import {
  codePieces,
  cut,
  dateText,
  escapeText,
  inline,
  label,
  link,
} from '../../../src/cards/blocks/mrkdwn.ts';
import { visibleText } from '../../../src/cards/blocks/visible.ts';
import type { CardFacts } from '../../../src/cards/card-facts.ts';
import { ACTION_STATES } from '../../../src/domain/action.ts';
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

/** Arguments with half a character are refused when they are asked. */
const argument = long.map((value) => value.replace(/\p{Surrogate}/gu, ''));
const change = fc.record({
  path: text,
  before: fc.option(argument, { nil: undefined }),
  after: fc.option(argument, { nil: undefined }),
  sign: fc.constantFrom('+', '-', '~'),
});
const changes = fc.array(change, { maxLength: 15 });
const time = fc.constant(AT);

/** Everything about an action that somebody else wrote or that may be large. */
const action = fc.record({
  state: fc.constantFrom(...ACTION_STATES),
  decided_by: fc.constantFrom('person', 'policy', null),
  summary: text,
  why: fc.option(long),
  deny_reason: fc.option(long),
  correction_reason: fc.option(long),
  error_code: fc.option(text),
  links: fc.array(fc.oneof(text, fc.webUrl()), { maxLength: 12 }),
  behind: fc.array(text, { maxLength: 30 }),
  asked_by: text,
  agent: text,
  tool: text,
  agent_version: text,
  segment: fc.option(text),
  phase: fc.option(text),
  event_day: fc.option(fc.nat(90)),
  grant_name: fc.option(text),
  reasons: fc.array(fc.record({ code: fc.constant('approved_by_rule' as const), message: long }), {
    maxLength: 4,
  }),
  risk: fc.constantFrom('low', 'high'),
  round: fc.nat(3),
  stage: fc.nat(2),
  earned: fc.boolean(),
  break_glass: fc.boolean(),
  reviewed_by: fc.option(text),
  review: fc.option(fc.record({ justified: fc.boolean(), note: long })),
  approval: fc.record({
    stages: fc.array(
      fc.array(fc.record({ group: text, quorum: fc.integer({ min: 1, max: 20 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      { minLength: 1, maxLength: 5 },
    ),
    expiresIn: fc.constant('1h'),
    reason: fc.constantFrom('optional', 'required'),
    slackApproves: fc.constantFrom('any', 'not-high', 'none'),
    notify: fc.constant('channel'),
    escalate: fc.constant([]),
    breakGlass: fc.option(text, { nil: undefined }),
    standing: fc.constantFrom('allowed', 'forbidden'),
  }),
  routed: fc.array(
    fc.record({
      group: text,
      stage: fc.nat(2),
      because: fc.constant('unanswered'),
      at: fc.constant(AT.toISOString()),
    }),
    { maxLength: 5 },
  ),
  reach: fc.option(
    fc.record({
      state: fc.constantFrom('delivered', 'queued', 'undelivered', 'unreached'),
      people: fc.array(text, { maxLength: 40 }),
      at: fc.constant(AT.toISOString()),
      problem: fc.option(long, { nil: undefined }),
    }),
  ),
  standing_wish: fc.option(
    fc.record({
      envelope: long,
      maxUses: fc.integer({ min: 1, max: 100 }),
      forMs: fc.constant(5_400_000),
      by: text,
    }),
  ),
});

const around = fc.record({
  args: fc.option(
    fc.dictionary(text, fc.oneof(long, fc.integer(), fc.array(text, { maxLength: 5 })), { maxKeys: 5 }),
    { nil: undefined },
  ),
  lapsed: fc.nat(9),
  alike: fc.nat(60),
  stale: fc.array(text, { maxLength: 6 }),
  edits: fc.array(fc.record({ editor: text, at: time, via: fc.constant('web'), reason: fc.option(long) }), {
    maxLength: 6,
  }),
  edited: fc.option(changes, { nil: undefined }),
  last: fc.option(
    fc.record({
      id: fc.uuid(),
      at: time,
      state: fc.constantFrom(...ACTION_STATES),
      wrong: fc.boolean(),
      changes,
    }),
    { nil: undefined },
  ),
  standings: fc.array(
    fc.record({
      envelope: long,
      maxUses: fc.nat(100),
      used: fc.nat(100),
      until: time,
      by: text,
      ended: fc.option(fc.record({ at: time, because: fc.constant('revoked'), by: text }), {
        nil: undefined,
      }),
    }),
    { maxLength: 3 },
  ),
  under: fc.option(fc.record({ by: text, action: fc.uuid() }), { nil: undefined }),
});

test('no card breaks a limit of Slack, whatever the agent and people write', () => {
  fc.assert(
    fc.property(
      action,
      around,
      fc.record({
        consequence: fc.option(long, { nil: undefined }),
        undo: fc.option(long, { nil: undefined }),
      }),
      fc.record({
        people: fc.integer({ min: 0, max: 20 }),
        name: long,
        reason: fc.option(long, { nil: undefined }),
      }),
      (row, rest, tool, { people, name, reason }) => {
        const ids = Array.from({ length: people }, (_, index) => `p${index}`);
        const built = cardFacts({
          ...(rest as Partial<CardFacts>),
          action: {
            ...(row as unknown as Partial<CardFacts['action']>),
            corrected_at: row.correction_reason ? AT : null,
            corrected_by: name,
            ended_by: name,
            ended_at: AT,
            ended_because: reason ?? null,
            withdraw_reason: reason ?? null,
          },
          tool: { reversibility: 'irreversible', advisory: true, ...tool },
          decisions: ids.map((id) => approvedBy(id, { reason: reason ?? null, for_person: name, grp: name })),
          approvers: ids,
          lent: Object.fromEntries(ids.map((id) => [id, name])),
          names: Object.fromEntries(ids.map((id) => [id, name])),
          testMode: true,
        });
        const card = actionCard(built);
        read(card);
        read({ text: card.text, blocks: plainBlocks(card) });
        expect(JSON.stringify(card)).not.toMatch(/<!channel|<@U0ANA|<https:\/\/evil\.test\|safe/);
        // How to answer, and what was shown, are never what is cut away.
        const page = `https://portcullis.test/actions/${built.action.id}`;
        expect(card.text.split('\n').slice(-2)).toEqual([
          page,
          expect.stringMatching(`^Action ${built.action.id} · revision 1 · digest`),
        ]);
        expect(visibleText({ blocks: plainBlocks(card) })).toContain(page);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test('arguments are never cut without saying how much is missing and where it is', () => {
  fc.assert(
    fc.property(fc.dictionary(text, long, { maxKeys: 4 }), (args) => {
      const shown = read(actionCard(cardFacts({ args })));
      const tail = inOnePiece(JSON.stringify(args, null, 2)).slice(-30);
      const whole = inOnePiece(shown.split('*Arguments*')[1] ?? '').includes(tail);
      expect(whole || /\*\d+ more characters:\* open the page/.test(shown) || hasUnseen(args)).toBe(true);
    }),
    { numRuns: 60 },
  );
}, 60_000);

/** Wherever the blocks end that a text is shown in. */
const inOnePiece = (text: string): string => text.replace(/\n(```\n```\n)?/g, '');

const hasUnseen = (args: unknown): boolean => /[^ -~\n]|`|[<>&]/.test(JSON.stringify(args).slice(-200));

test('label() is one inert line for places without markup', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 100 }), (raw, max) => {
      const shown = label(raw, max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown).not.toMatch(/[<>\n]/);
    }),
  );
});

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
