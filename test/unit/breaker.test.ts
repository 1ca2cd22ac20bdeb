import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Breaker } from '../../activities/breaker.ts';

const SLOW_MS = 5_000;

let breaker: Breaker;
beforeEach(() => {
  vi.useFakeTimers();
  breaker = new Breaker({ now: () => new Date() }, 2);
});
afterEach(() => {
  vi.useRealTimers();
});

const after = (ms: number, what: () => void) => () =>
  new Promise<void>((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(what());
      } catch (error) {
        reject(error);
      }
    }, ms);
  });
const hang = after(SLOW_MS, () => {
  throw new Error('no answer');
});
const answer = after(20, () => {});
const refuse = after(20, () => {
  throw new Error('status 503');
});

type Ended = 'sent' | number | string;
/** What became of it: how long it was held, or why it failed. */
const send = (work: () => Promise<void>, receiver = 'desk'): Promise<Ended> =>
  breaker.run(receiver, work).then(
    () => 'sent',
    (error: unknown) =>
      error instanceof ApplicationFailure && error.type === 'webhook.held'
        ? Number(error.nextRetryDelay)
        : (error as Error).message,
  );

const held = (results: readonly Ended[]): number[] => results.filter((one) => typeof one === 'number');

test('no more than the given number are under way to one receiver, and others are free', async () => {
  const all = Promise.all(Array.from({ length: 10 }, () => send(hang)));
  const other = send(answer, 'lounge');
  await vi.advanceTimersByTimeAsync(20);
  expect(await other).toBe('sent');
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  expect((await all).filter((one) => one === 'no answer')).toHaveLength(2);
  expect(held(await all)).toHaveLength(8);
});

test('what is held comes back one after the other, within a minute and a half', async () => {
  const all = Promise.all(Array.from({ length: 500 }, () => send(hang)));
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  const waits = held(await all);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(90_000);
  const early = waits.filter((ms) => ms < 10_000);
  expect(early.length).toBeGreaterThan(0);
  expect(early.length).toBeLessThan(waits.length / 4);
});

test('after failures that took long none is sent; then one looks, and one that succeeds lets all through', async () => {
  for (let n = 0; n < 3; n++) {
    const slow = send(hang);
    await vi.advanceTimersByTimeAsync(SLOW_MS);
    await slow;
  }
  expect(await send(answer)).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(5_001);
  const looks = send(hang);
  expect(await send(answer)).toBeGreaterThanOrEqual(SLOW_MS);
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  expect(await looks).toBe('no answer');
  // Twice as long the second time.
  await vi.advanceTimersByTimeAsync(6_000);
  expect(await send(answer)).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(4_001);
  for (let n = 0; n < 3; n++) {
    const sent = send(answer);
    await vi.advanceTimersByTimeAsync(20);
    expect(await sent).toBe('sent');
  }
});

test('a receiver that refuses at once is asked again and again', async () => {
  for (let n = 0; n < 10; n++) {
    const refused = send(refuse);
    await vi.advanceTimersByTimeAsync(20);
    expect(await refused).toBe('status 503');
  }
});
