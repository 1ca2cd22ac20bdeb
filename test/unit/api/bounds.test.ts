import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bound } from '../../../src/api/bounds.ts';
import { AppError } from '../../../src/errors.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'taken';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

test('what is held never passes the bound nor a caller’s share, and all of it comes back', () => {
  const steps = fc.array(
    fc.record({
      caller: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      amount: fc.integer({ min: 1, max: 9 }),
      gives: fc.nat(30),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 60 }), (all, most) => {
      let refused = 0;
      const bound = new Bound('asks', most, () => refused++);
      const held: { caller: string; amount: number; release: () => void }[] = [];
      const sum = (caller?: string) =>
        held.reduce(
          (total, one) => total + (caller === undefined || one.caller === caller ? one.amount : 0),
          0,
        );
      for (const { caller, amount, gives } of all) {
        const fits = sum() + amount <= most && sum(caller) + amount <= bound.perCaller;
        const before = refused;
        const code = codeOf(() => held.push({ caller, amount, release: bound.take(caller, amount) }));
        expect(code).toBe(fits ? 'taken' : 'overloaded');
        expect(refused - before).toBe(fits ? 0 : 1);
        const given = gives < held.length ? held.splice(gives, 1)[0] : undefined;
        given?.release();
        given?.release();
        expect(bound.total).toBe(sum());
      }
      for (const { release } of held) release();
      expect(bound.total).toBe(0);
      expect(codeOf(() => bound.take('a', bound.perCaller))).toBe('taken');
    }),
  );
});

test('one caller has a part of it, and at least one body fits', () => {
  expect(new Bound('polls', 10_000, () => {}).perCaller).toBe(2_500);
  expect(new Bound('streams', 1_000, () => {}).perCaller).toBe(50);
  expect(new Bound('asks', 1, () => {}).perCaller).toBe(1);
  expect(new Bound('bodyBytes', 2 * 1_048_576, () => {}).perCaller).toBe(1_048_576);
});

test('a refusal says which bound, and when to come again', () => {
  const bound = new Bound('streams', 20, () => {});
  bound.take('a');
  const refusal = codeOf(() => bound.take('a'));
  expect(refusal).toBe('too_many_streams');
  expect(() => bound.take('a')).toThrow('This caller has 1 of the 1 event streams that one may have');
  for (let n = 1; n < 20; n++) bound.take(`caller ${n}`);
  expect(() => bound.take('b')).toThrow('as many event streams as it takes');
});
