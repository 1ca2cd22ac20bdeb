import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextReminder, REMINDERS_MAX } from '../../../../src/domain/approval/reminders.ts';

const MINUTE = 60_000;

function allReminders(times: { askedAtMs: number; expiresAtMs: number; firstMs: number }): number[] {
  const due: number[] = [];
  for (let next = nextReminder({ ...times, sent: 0 }); next !== undefined; ) {
    due.push(next);
    next = nextReminder({ ...times, sent: due.length });
  }
  return due;
}

test('reminds after 15, 45 and 105 minutes when the first wait is 15: each wait doubles', () => {
  const due = allReminders({ askedAtMs: 0, expiresAtMs: 120 * MINUTE, firstMs: 15 * MINUTE });
  expect(due).toEqual([15 * MINUTE, 45 * MINUTE, 105 * MINUTE]);
});

test('reminds once, half way, when the first wait is half of the time there is', () => {
  const due = allReminders({ askedAtMs: 1_000, expiresAtMs: 1_000 + 60 * MINUTE, firstMs: 30 * MINUTE });
  expect(due).toEqual([1_000 + 30 * MINUTE]);
});

test.each([
  ['the last tenth', 54 * MINUTE],
  ['the moment of expiry', 60 * MINUTE],
  ['a time after it', 90 * MINUTE],
  ['no wait at all', 0],
  ['a wait that is no number', Number.NaN],
])('never reminds in %s', (_, firstMs) => {
  expect(nextReminder({ askedAtMs: 0, expiresAtMs: 60 * MINUTE, firstMs, sent: 0 })).toBeUndefined();
});

test('reminders come in order, all before the last tenth, and never too many', () => {
  const times = fc.record({
    askedAtMs: fc.nat(),
    lastsMs: fc.nat({ max: 90 * 86_400_000 }),
    firstMs: fc.integer({ min: -10, max: 86_400_000 }),
  });
  fc.assert(
    fc.property(times, ({ askedAtMs, lastsMs, firstMs }) => {
      const due = allReminders({ askedAtMs, expiresAtMs: askedAtMs + lastsMs, firstMs });
      expect(due.length).toBeLessThanOrEqual(REMINDERS_MAX);
      const waits = due.map((at, index) => at - (due[index - 1] ?? askedAtMs));
      expect(waits).toEqual(due.map((_, index) => firstMs * 2 ** index));
      for (const at of due) expect(at).toBeLessThan(askedAtMs + 0.9 * lastsMs + 1e-3);
    }),
  );
});
