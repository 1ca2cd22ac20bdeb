import { expect, test } from 'vitest';
import { actionCard } from '../../../src/cards/action-card.ts';
import { BUTTON, VALUE } from '../../../src/cards/blocks/buttons.ts';
import { plainBlocks } from '../../../src/cards/blocks/message.ts';
import { visibleText } from '../../../src/cards/blocks/visible.ts';
import type { CardFacts } from '../../../src/cards/card-facts.ts';
import { elementsOf, findElement } from '../../fakes/slack/visible.ts';
import { ANSWERED } from './card-cases-answered.ts';
import { WAITING } from './card-cases-waiting.ts';
import { cardFacts, keepForLooking, POLICY, read } from './facts.ts';

const elements = (facts: CardFacts) =>
  elementsOf(actionCard(facts).blocks as never).map(({ element }) => element);

test.each([...WAITING, ...ANSWERED])(
  'the card of an action that is $name',
  ({ name, facts, decision, execution, lines = [], buttons }) => {
    const built = cardFacts(facts);
    const card = actionCard(built);
    keepForLooking(name, card);
    const shown = read(card).split('\n');
    expect(shown.find((line) => line.startsWith('*Decision:*'))).toContain(`*Decision:* ${decision}`);
    expect(shown.find((line) => line.startsWith('*Execution:*'))).toContain(`*Execution:* ${execution}`);
    expect(shown).toEqual(expect.arrayContaining(lines));
    const ids = elements(built).map(({ action_id }) => action_id);
    expect(ids.filter((id) => id !== BUTTON.open)).toEqual(buttons);
    expect(ids.filter((id) => id === BUTTON.open)).toHaveLength(1);
    const first = shown[built.action.break_glass ? 1 : 0];
    expect(first).toMatch(/^\*Cancel order R-1\*\. The guest loses the room/);
    expect(shown.at(-1)).toBe(
      `Action ${built.action.id} · revision ${built.action.revision} · digest ${'f00d'.repeat(16)} · epoch 7`,
    );
    expect(card.text).toMatch(
      /^(EMERGENCY: approved by one person alone\. )?Cancel order R-1\. The guest loses the room/,
    );
    read({ text: card.text, blocks: plainBlocks(card) });
  },
);

test('the text for notifications and screen readers says what the blocks say, in words alone', () => {
  const plain = (text: string) =>
    visibleText({ blocks: [{ type: 'header', text: { type: 'plain_text', text } }] });
  const linked = / \(https[^)]*\)/g;
  for (const { facts, lines = [] } of [...WAITING, ...ANSWERED]) {
    const built = cardFacts(facts);
    const text = plain(actionCard(built).text).replace(linked, '');
    expect(text).not.toContain('*');
    const offered = JSON.stringify(elements(built));
    for (const line of lines) {
      if (line === 'Erased' || offered.includes(line)) continue;
      expect(text).toContain(line.replaceAll('*', ''));
    }
  }
});

test('what a person saw is kept as plain lines, with every button and where links lead', () => {
  const text = visibleText(
    actionCard(
      cardFacts({
        last: {
          id: 'b',
          at: new Date('2026-03-01T10:00:00Z'),
          state: 'executed',
          wrong: false,
          changes: [],
        },
      }),
    ),
  );
  expect(text).toContain(
    '*Same arguments* as the last one like it (https://portcullis.test/actions/b) (executed',
  );
  expect(text).toContain('Answer by 2026-03-02 11:00 UTC');
  expect(text).toContain('[Approve] [Deny] [Approve with a reason] [Edit the arguments]');
  expect(text).toContain('"card": "[redacted]"');
  expect(text).not.toMatch(/<!date|&lt;/);
});

test('why is marked as the agent’s own words, and what does not fit is one click away', () => {
  expect(read(actionCard(cardFacts()))).toContain("*Why, in the agent's own words*\n>The guest asked for it");
  const long = read(actionCard(cardFacts({ action: { why: 'because '.repeat(400) } })));
  expect(long).toMatch(/because… \(all of it\)/);
});

test('only high risk is asked for again, within what a dialog holds', () => {
  const confirmOf = (facts: CardFacts) => elements(facts)[0]?.confirm;
  expect(confirmOf(cardFacts())).toBeUndefined();
  const high = cardFacts({ action: { risk: 'high', summary: 'Cancel <!channel> *all*' } });
  expect(confirmOf(high)).toMatchObject({
    title: { text: 'Approve this high-risk write?' },
    text: {
      type: 'plain_text',
      text: 'Cancel ‹!channel› ∗all∗. The guest loses the room. It is compensable.',
    },
    confirm: { text: 'Approve' },
  });
  const asked = cardFacts({ action: { risk: 'high', approval: { ...POLICY, reason: 'required' } } });
  expect(confirmOf(asked)).toBeUndefined();
});

test('a screen reader hears what each button answers', () => {
  const spoken = elements(cardFacts()).map(({ accessibility_label }) => accessibility_label);
  expect(spoken).toEqual([
    'Approve: Cancel order R-1',
    'Deny: Cancel order R-1',
    undefined,
    'Open the page: Cancel order R-1',
  ]);
});

test('nothing is offered to answer the like of it with once somebody answered this one', () => {
  const menu = (facts: CardFacts) => JSON.stringify(elements(facts).find(({ type }) => type === 'overflow'));
  expect(menu(cardFacts())).toContain('standing:');
  expect(menu(cardFacts(WAITING.find(({ name }) => name === 'partially approved')?.facts))).not.toContain(
    'standing:',
  );
  expect(menu(cardFacts({ action: { approval: { ...POLICY, standing: 'forbidden' } } }))).not.toContain(
    'standing:',
  );
});

test('the first line of what waits has the deadline, in blocks and in the notification', () => {
  const card = actionCard(cardFacts());
  expect(card.text.split('\n')[0]).toContain('Answer by <!date^');
  expect(read(card).split('\n')[0]).toContain('Answer by 2026-03-02 11:00 UTC');
});

test('a button carries the revision and digest that were shown; every block is new with every version', () => {
  const facts = cardFacts();
  const { element } = findElement(actionCard(facts) as never, 'Approve');
  expect(VALUE.action.parse(String(element.value))).toEqual({
    id: facts.action.id,
    revision: 1,
    digest: facts.action.args_digest,
    version: 2,
  });
  const ids = (version: number) =>
    actionCard({ ...facts, action: { ...facts.action, card_version: version } }).blocks.map(
      (block) => block.block_id,
    );
  expect(ids(2).filter((id) => ids(4).includes(id))).toEqual([]);
  expect(new Set(ids(2)).size).toBe(ids(2).length);
});

test('arguments are shown in full while they fit, else what is missing is counted and linked', () => {
  expect(read(actionCard(cardFacts()))).toContain('"card": "[redacted]"');
  const shown = read(actionCard(cardFacts({ args: { text: 'x'.repeat(20_000) } })));
  const missing = Number(/\*(\d+) more characters:\* open the page/.exec(shown)?.[1]);
  expect((shown.match(/x/g) ?? []).length + missing).toBeGreaterThan(20_000);
  expect(read(actionCard(cardFacts({ args: undefined })))).toContain('Erased');
});

test('test mode, advisory tools and scaled days are said', () => {
  const tool = {
    reversibility: 'reversible',
    undo: undefined,
    consequence: undefined,
    advisory: true,
  } as const;
  const shown = read(actionCard(cardFacts({ testMode: true, tool, dayMs: 60_000 })));
  expect(shown).toContain('TEST MODE');
  expect(shown).toContain('ADVISORY');
  expect(shown).toContain('one day lasts 60 seconds');
});

test('a tool that is gone from the manifest is still shown, as unknown', () => {
  expect(read(actionCard(cardFacts({ tool: undefined })))).toContain('no longer in the manifest');
});
