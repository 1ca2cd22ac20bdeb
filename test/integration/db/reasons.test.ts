import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saysSomething } from '../../../src/domain/unseen.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

let services: TestServices;
beforeAll(async () => {
  services = await createTestServices();
});
afterAll(() => services.close());

const POINTS = 0x11_0000;
const BATCH = 0x1_0000;

test('the store sees in every character what the rest of the service sees in it', async () => {
  for (let from = 1; from < POINTS; from += BATCH) {
    const { rows } = await sql<{
      point: number;
    }>`SELECT p AS point FROM generate_series(${from}::int, ${from + BATCH - 1}::int) p
      WHERE p NOT BETWEEN 55296 AND 57343 AND p < ${POINTS}::int AND says_something(chr(p))`.execute(
      services.db.sql,
    );
    const seen = new Set(rows.map(({ point }) => point));
    const wrong: string[] = [];
    for (let point = from; point < Math.min(from + BATCH, POINTS); point++) {
      const char = String.fromCodePoint(point);
      // Punctuation beyond ASCII, marks and what Unicode has not assigned are told apart by the service alone.
      if (/\p{Cs}/u.test(char) || (seen.has(point) && /[\p{P}\p{M}\p{Cn}]/u.test(char) && point > 0x7f))
        continue;
      if (seen.has(point) !== saysSomething(char)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  }
});

test('no default-ignorable character is something to the store', async () => {
  const hidden: number[] = [];
  for (let point = 1; point < POINTS; point++)
    if (/\p{Default_Ignorable_Code_Point}/u.test(String.fromCodePoint(point))) hidden.push(point);
  const text = hidden.map((point) => String.fromCodePoint(point)).join('');
  const { rows } = await sql<{ says: boolean }>`SELECT says_something(${text}) AS says`.execute(
    services.db.sql,
  );
  expect(rows).toEqual([{ says: false }]);
});

test.each(['', ' ', '\u00a0', '\u200b', '\u2800', '\u3164', '\u00ad', '...'])(
  "the runbook's way takes %j for no reason, to stop and to enable",
  async (reason) => {
    const now = services.clock.now();
    const stop = sql`SELECT disable_switch('everything', false, ${reason}, 'cleo', ${now})`.execute(
      services.db.sql,
    );
    await expect(stop).rejects.toThrow('people can see');
    const enable = sql`SELECT enable_switch('everything', ${reason}, 'cleo', ${now})`.execute(
      services.db.sql,
    );
    await expect(enable).rejects.toThrow('people can see');
  },
);
