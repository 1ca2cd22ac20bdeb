import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BOUND_SIZES } from '../../src/api/bounds.ts';
import { readConfig } from '../../src/config.ts';

const MEGABYTE = 1_048_576;

test('what a process holds at once is said by the environment; what it does not say has its default', () => {
  expect(readConfig({ PORTCULLIS_ASKS_MAX: '' }).bounds).toEqual({});
  const all = {
    PORTCULLIS_ASKS_MAX: '10',
    PORTCULLIS_LONG_POLLS_MAX: '20',
    PORTCULLIS_STREAMS_MAX: '30',
    PORTCULLIS_BODY_MB_MAX: '4',
  };
  expect(readConfig(all).bounds).toEqual({ asks: 10, polls: 20, streams: 30, bodyBytes: 4 * MEGABYTE });
});

test.each(['0', '-1', '1.5', 'many', '1e3', '1000001'])(
  'a bound of %s is refused by name, with its range',
  (text) => {
    expect(() => readConfig({ PORTCULLIS_STREAMS_MAX: text })).toThrow(
      'PORTCULLIS_STREAMS_MAX: must be a whole number from 1 to 1000000',
    );
  },
);

test('.env.example shows the defaults', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const shown = (name: string) => Number(new RegExp(`^# ${name}=(\\d+)$`, 'm').exec(example)?.[1]);
  expect({
    asks: shown('PORTCULLIS_ASKS_MAX'),
    polls: shown('PORTCULLIS_LONG_POLLS_MAX'),
    streams: shown('PORTCULLIS_STREAMS_MAX'),
    bodyBytes: shown('PORTCULLIS_BODY_MB_MAX') * MEGABYTE,
  }).toEqual(BOUND_SIZES);
});
