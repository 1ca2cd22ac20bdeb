import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUTTON, VALUE } from '../../../src/cards/blocks/buttons.ts';
import { type DigestFacts, digestCard } from '../../../src/cards/digest-card.ts';
import { saturationMessage } from '../../../src/cards/saturation.ts';
import { findElement } from '../../fakes/slack/visible.ts';
import { AT, LATER, read } from './facts.ts';

const waiting = (summary: string, n = 0): DigestFacts['waiting'][number] => ({
  id: `0b7e3f6a-1f6e-4d7e-9f43-${String(n).padStart(12, '0')}`,
  summary,
  asked_at: AT,
});
const digest = (more: Partial<DigestFacts> = {}): DigestFacts => ({
  agent: 'desk',
  waiting: [waiting('Cancel R-1')],
  answered: 0,
  now: LATER,
  publicUrl: 'https://portcullis.test/',
  ...more,
});

test('a digest names what waits with its age and its page, and has one button for all', () => {
  const card = digestCard(digest({ answered: 2 }));
  const shown = read(card);
  expect(shown).toContain('*1 low-risk request of agent desk waits for an answer*');
  expect(shown).toContain('• Cancel R-1, asked 60 min ago · open');
  expect(shown).toContain('2 that stood here wait no more');
  expect(card.text).toContain('https://portcullis.test/actions/0b7e3f6a');
  const { element } = findElement(card as never, 'Answer them');
  expect(element.action_id).toBe(BUTTON.digestAnswer);
  expect(VALUE.digest.parse(String(element.value))).toEqual({ agent: 'desk' });
});

test('nothing waits: no button, and how many there were', () => {
  const card = digestCard(digest({ waiting: [], answered: 7 }));
  expect(read(card)).toContain('All 7 low-risk requests of agent desk that stood here are answered');
  expect(() => findElement(card as never, 'Answer them')).toThrow();
});

test('whatever it lists keeps within the limits of Slack, and nothing in it is markup', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.constantFrom('<!channel>', '*x* <https://evil.test|ok> @here', '&'.repeat(300), 'x'.repeat(5_000)),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (summaries) => {
      const card = digestCard(digest({ waiting: summaries.map(waiting) }));
      const shown = read(card);
      expect(card.text).not.toMatch(/<!(channel|here|everyone)>|<https:\/\/evil/);
      if (summaries.length > 20) expect(shown).toContain(`and ${summaries.length - 20} more`);
    }),
    { numRuns: 60 },
  );
});

test('the notice of long turns says how many wait, until when, and where to answer now', () => {
  const shown = read(saturationMessage({ waiting: 470, lastAt: LATER }, 'https://portcullis.test'));
  expect(shown).toContain('*470 requests wait to be posted here*, the last at 2026-03-02 11:00 UTC');
  expect(saturationMessage({ waiting: 470, lastAt: LATER }, 'https://portcullis.test').text).toContain(
    '<https://portcullis.test/queue|the queue page>',
  );
});
