import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SideBySide } from '../../../src/approvals/side-by-side.ts';
import {
  itemValue,
  MORE,
  moreValue,
  parseItem,
  parseMore,
  type SeenMeta,
} from '../../../src/cards/blocks/buttons.ts';
import type { KnownBlock } from '../../../src/cards/blocks/message.ts';
import { SlackFailure } from '../../../src/cards/posting/failure.ts';
import { diffArgs } from '../../../src/domain/decision/args-diff.ts';
import { AppError } from '../../../src/errors.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { approveView, glassView } from '../../../src/slack/modals/approve.ts';
import { batchView } from '../../../src/slack/modals/batch.ts';
import { argsFrom, editView } from '../../../src/slack/modals/edit.ts';
import { standingView } from '../../../src/slack/modals/standing-approvals.ts';
import { type ModalView, noticeView } from '../../../src/slack/modals.ts';
import { plainWordsFor, wordsFor } from '../../../src/slack/words.ts';
import { refuseBadView } from '../../fakes/slack/block-rules.ts';
import { cardFacts } from '../cards/facts.ts';

const NOW = new Date('2026-03-02T10:30:00Z');
const EVIL = /<!channel|<@U0ANA|<https:\/\/evil\.test/;
const piece = fc.constantFrom(
  '<!channel>',
  '<@U0ANA>',
  '<https://evil.test|safe>',
  '&',
  '```',
  '\u202e',
  '\0',
  '😀',
  '"',
  '\\',
  'x'.repeat(400),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }).filter((string) => !/\p{Surrogate}/u.test(string)),
  fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')),
);
const args = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 })),
  { maxKeys: 6 },
);

const action = (more: Partial<ActionRow> = {}): ActionRow => cardFacts({ action: more }).action;
const meta = ({ id, revision, args_digest: digest }: ActionRow): SeenMeta => ({
  id,
  revision,
  digest,
  version: 12,
  channel: 'C0DESK',
  ts: '1700000000.000001',
});
const passes = (view: ModalView) => {
  const json: unknown = JSON.parse(JSON.stringify(view));
  refuseBadView(json, 'modal');
  const marked = blocksOf(view).flatMap((block) => (block.type === 'section' ? [block.text?.text] : []));
  expect(marked.join('\n')).not.toMatch(EVIL);
};

const blocksOf = ({ blocks }: ModalView) => blocks as KnownBlock[];

/** What comes back when somebody submits a form as it is. */
const typedIn = (view: ModalView): Record<string, string | undefined> =>
  Object.fromEntries(
    blocksOf(view).flatMap((block) =>
      block.type === 'input' && block.element.type === 'plain_text_input'
        ? [[block.block_id ?? '', block.element.initial_value]]
        : [],
    ),
  );

test('no form breaks a limit of Slack, whatever agents write', () => {
  fc.assert(
    fc.property(text, args, fc.array(text, { maxLength: 20 }), text, (summary, given, open, envelope) => {
      const row = action({ summary, tool: summary, segment: summary });
      passes(approveView(row, meta(row)));
      passes(glassView(row, meta(row)));
      passes(standingView(row, { text: envelope, open }, meta(row)));
      const edit = editView(row, given, meta(row));
      if (edit) passes(edit);
      passes(noticeView('Why', summary.replace(/[<>&]/g, '')));
    }),
    { numRuns: 200 },
  );
});

test('a member without a name has one for people', () => {
  const row = action({ summary: 's', tool: 't', segment: 'g' });
  const view = editView(row, { '': 'x'.repeat(2_000), other: 'y'.repeat(2_000) }, meta(row));
  if (view) passes(view);
  expect(JSON.stringify(view)).toContain('(no name)');
});

test('a table of fifty keeps within the limits, and its ticks carry what was shown', () => {
  const first = { id: 'R-1', body: 'x'.repeat(5_000) };
  fc.assert(
    fc.property(text, args, (summary, other) => {
      const rows = Array.from({ length: 50 }, (_, at): SideBySide => {
        const row = action({
          id: `0b7e3f6a-1f6e-4d7e-9f43-0d1f2a3b4c${String(at).padStart(2, '0')}`,
          summary,
        });
        return {
          action: row,
          args: at === 0 ? first : other,
          changes: at === 0 ? undefined : diffArgs(first, other),
        };
      });
      const place = { agent: 'desk', id: rows[0]?.action.id ?? '', channel: 'C0DESK', ts: '1.2' };
      const view = batchView(rows, { meta: place, publicUrl: 'https://p.test', now: NOW, elsewhere: 3 });
      passes(view);
      const ticks = blocksOf(view).flatMap((block) =>
        block.type === 'input' && block.element.type === 'checkboxes' ? block.element.options : [],
      );
      expect(ticks.map(({ value }) => parseItem(value ?? '').id)).toEqual(rows.map((row) => row.action.id));
    }),
    { numRuns: 20 },
  );
});

test('arguments come back from the form as they were, unseen characters and all', () => {
  fc.assert(
    fc.property(args, (given) => {
      const row = action();
      const view = editView(row, given, meta(row));
      if (!view) return;
      const typed = typedIn(view);
      expect(Object.values(typed).join('')).not.toMatch(/[\u202e\0]/);
      expect(argsFrom(typed)).toEqual({ ok: true, args: JSON.parse(JSON.stringify(given)) });
    }),
    { numRuns: 300 },
  );
});

test('arguments that are too long for one field get one each, and beyond that none', () => {
  const row = action();
  const long = { a: 'x'.repeat(2_900), b: 'y'.repeat(2_900) };
  const view = editView(row, long, meta(row));
  expect(Object.keys(typedIn(view ?? noticeView('', '')))).toEqual(['args:a', 'args:b', 'reason']);
  expect(editView(row, { a: 'x'.repeat(3_000) }, meta(row))).toBeUndefined();
  const many = Object.fromEntries(Array.from({ length: 41 }, (_, at) => [`k${at}`, 'x'.repeat(100)]));
  expect(editView(row, many, meta(row))).toBeUndefined();
});

test('what options carry is read back, and anything else is refused', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(), fc.stringMatching(/^[0-9a-f]{64}$/), (id, revision, digest) => {
      const value = itemValue({ id, revision, digest });
      expect(value.length).toBeLessThanOrEqual(75);
      expect(parseItem(value)).toEqual({ id, revision, digest });
    }),
  );
  expect(() => parseItem('x')).toThrow(SyntaxError);
  for (const verb of MORE) expect(parseMore(moreValue(verb, 'an-id'))).toEqual({ verb, id: 'an-id' });
  for (const value of ['', 'edit', 'delete:1', 'edit:1:2']) expect(() => parseMore(value)).toThrow();
});

test.each([
  [
    new AppError('not_eligible', 'Cannot approve: no', {
      because: 'not_from_slack',
      page: 'https://p.test/a/1',
    }),
    /decide there.*<https:\/\/p\.test\/a\/1\|Open its page>/,
  ],
  [
    new AppError('not_eligible', 'Cannot approve: no', {
      because: 'not_in_group',
      page: 'https://p.test/a/1',
    }),
    /Ask somebody of the approver group[^<]*$/,
  ],
  [
    new AppError('not_eligible', 'Cannot approve: stale', { because: 'group_stale' }),
    /portcullis doctor.*Denying works/,
  ],
  [new AppError('group_stale', 'Cannot approve: stale'), /portcullis doctor/],
  [new AppError('reason_needed', 'Cannot approve: its release wants a reason'), /Approve with a reason/],
  [new AppError('store_down', 'no'), /NOT recorded.*does not answer/],
  [new AppError('store_slow', 'no'), /NOT recorded.*took too long/],
  [Object.assign(new Error('canceling statement'), { code: '57014' }), /NOT recorded.*took too long/],
  [new SlackFailure('expired_trigger_id'), /NOT recorded.*expired_trigger_id/],
  [
    new AppError('invalid_input', '<!channel> *b*', { hint: 'Mend <it>' }),
    /&lt;!channel&gt; ∗b∗\. Mend &lt;it&gt;\./,
  ],
])('the words for %s lead on', (error, words) => {
  expect(wordsFor(error)).toMatch(words);
  expect(plainWordsFor(error)).not.toMatch(/[*<>]|&lt;/);
});
