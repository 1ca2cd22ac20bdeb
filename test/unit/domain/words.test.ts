import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ACTION_STATES, outcomeOf, STATE_OF, TRANSITIONS } from '../../../src/domain/action.ts';
import {
  ROUTED_WORDS,
  STANDING_ENDED_WORDS,
  STATE_WORDS,
  SUPERSEDED_WORDS,
} from '../../../src/domain/words.ts';

const SRC = fileURLToPath(new URL('../../../src/', import.meta.url));

test('what people read of a state or a reason is written down once', () => {
  const sources = readdirSync(SRC, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));
  const phrases = [STATE_WORDS, SUPERSEDED_WORDS, ROUTED_WORDS, STANDING_ENDED_WORDS]
    .flatMap((words) => Object.values(words))
    .filter((phrase) => phrase.includes(' '));
  const elsewhere = phrases.flatMap((phrase) =>
    sources
      .filter(({ file, text }) => file !== 'domain/words.ts' && text.includes(`'${phrase}'`))
      .map(({ file }) => `${file}: ${phrase}`),
  );
  expect(elsewhere).toEqual([]);
});

test('an action is answered by its state: waiting, allowed, or one of the ways not to begin', () => {
  const answered = Object.fromEntries(ACTION_STATES.map((state) => [state, outcomeOf({ state })]));
  expect(answered).toEqual({
    pending: 'pending',
    approved: 'allowed',
    executing: 'allowed',
    executed: 'allowed',
    failed: 'allowed',
    unknown: 'allowed',
    denied: 'denied',
    expired: 'denied',
    withdrawn: 'denied',
    superseded: 'denied',
    disabled: 'denied',
  });
  for (const [outcome, state] of Object.entries(STATE_OF)) expect(outcomeOf({ state })).toBe(outcome);
  // What is denied never goes on.
  for (const state of ACTION_STATES)
    if (outcomeOf({ state }) === 'denied') expect(TRANSITIONS[state]).toEqual([]);
});
