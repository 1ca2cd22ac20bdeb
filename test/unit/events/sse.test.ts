import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SseReader, sseMessage, ssePlace, sseRetry } from '../../../src/events/sse.ts';

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
const sent = fc.oneof(
  fc.record({ place: fc.nat() }),
  fc.record({ id: fc.nat(), event: line.map((text) => `e${text}`), data: line }),
);

/** The text in pieces of any size. */
const piecesOf = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = [];
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
};

test('what is sent is read the same, wherever it is cut and however its lines end', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(sent), sizes, fc.constantFrom('\n', '\r\n', '\r'), (messages, cuts, end) => {
      const text = messages
        .map((one) => ('place' in one ? ssePlace(one.place) : sseMessage(one.id, one)))
        .join('')
        .replaceAll('\n', end);
      const reader = new SseReader();
      const read = [...piecesOf(text, cuts), '\n'].flatMap((piece) => reader.read(piece));
      const expected = messages.flatMap((one) => ('place' in one ? [] : [one]));
      expect(read).toEqual(expected.map(({ event, data }) => ({ event, data })));
      const last = messages.at(-1);
      expect(reader.lastEventId).toBe(last && String('place' in last ? last.place : last.id));
    }),
  );
});

test('a message that is cut off does not move the place: it comes again', () => {
  const reader = new SseReader();
  expect(reader.read(`${sseRetry(1_500)}${ssePlace(6)}id: 7\nevent: action.denied\ndata: {"seq"`)).toEqual(
    [],
  );
  expect(reader).toMatchObject({ lastEventId: '6', retryMs: 1_500 });
});

test('comments and fields that nobody knows are passed over; data of several lines is one', () => {
  const reader = new SseReader();
  expect(reader.read(': hello\nfoo: bar\nretry: soon\ndata: a\ndata:b\ndata\n\n')).toEqual([
    { event: 'message', data: 'a\nb\n' },
  ]);
  expect(reader.retryMs).toBeUndefined();
});
