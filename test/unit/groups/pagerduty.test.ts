import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pagerdutySource } from '../../../src/groups/pagerduty.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import {
  FAKE_PAGERDUTY_TOKEN,
  type FakeFault,
  type FakePagerDuty,
  openFakePagerDuty,
} from '../../fakes/pagerduty.ts';

const WINDOW = { from: new Date('2026-08-03T00:00:00Z'), to: new Date('2026-08-17T00:00:00Z') };
let pagerduty: FakePagerDuty;
beforeEach(async () => {
  pagerduty = await openFakePagerDuty(2);
});
afterEach(() => pagerduty[Symbol.asyncDispose]());

const read = (schedule = 'PDESK', token = FAKE_PAGERDUTY_TOKEN) =>
  pagerdutySource({ token, apiUrl: `${pagerduty.url}/` }, schedule).shifts(WINDOW);
const failure = async (reading: Promise<unknown>): Promise<SourceFailure> => {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SourceFailure)) throw new Error(`not a failure of the source: ${error}`);
  return error;
};
const day = (n: number) => `2026-08-${String(n).padStart(2, '0')}T08:00:00Z`;

test('every page of one schedule in the window, by e-mail address; on call without end has no times', async () => {
  pagerduty.oncalls = [
    { schedule: 'PDESK', email: 'ana@example.org', start: day(1), end: day(4) },
    { schedule: 'POTHER', email: 'olga@example.org' },
    { schedule: 'PDESK', email: 'ben@example.org', start: day(4), end: day(5) },
    { schedule: 'PDESK', email: 'old@example.org', start: day(1), end: day(2) },
    { schedule: 'PDESK', email: 'ana@example.org', start: day(5), end: day(6) },
    { schedule: 'PDESK', email: 'lead@example.org' },
    { schedule: 'PDESK', email: 'late@example.org', start: day(18), end: day(19) },
  ];
  expect(await read()).toEqual([
    { who: { email: 'ana@example.org' }, from: new Date(day(1)), until: new Date(day(4)) },
    { who: { email: 'ben@example.org' }, from: new Date(day(4)), until: new Date(day(5)) },
    { who: { email: 'ana@example.org' }, from: new Date(day(5)), until: new Date(day(6)) },
    { who: { email: 'lead@example.org' }, from: undefined, until: undefined },
  ]);
  expect(pagerduty.asked.map((query) => new URLSearchParams(query).get('offset'))).toEqual(['0', '2']);
});

test('an empty schedule is nobody', async () => {
  expect(await read()).toEqual([]);
});

describe('what is not a whole answer is a failure that says what to mend', () => {
  test('a key that is refused', async () => {
    const { message } = await failure(read('PDESK', 'another key of somebody'));
    expect(message).toContain('PORTCULLIS_PAGERDUTY_TOKEN');
    expect(message).not.toContain('another key');
  });

  test('too many requests: with the time to wait that PagerDuty names', async () => {
    pagerduty.faults = [{ status: 429, headers: { 'ratelimit-reset': '17' } }];
    expect((await failure(read())).retryAfterMs).toBe(17_000);
    pagerduty.faults = [{ status: 429, headers: { 'retry-after': '3' } }];
    expect((await failure(read())).retryAfterMs).toBe(3_000);
    pagerduty.faults = [{ status: 429 }];
    expect((await failure(read())).retryAfterMs).toBeUndefined();
  });

  test.each<[string, FakeFault, RegExp]>([
    ['a schedule that is not there', { status: 404 }, /check the id/],
    ['its own trouble', { status: 503 }, /answered 503/],
    ['a connection that breaks', 'drop', /cannot be reached/],
    ['a page that is not JSON', { status: 200, body: 'hello' }, /not understood/],
    [
      'people without addresses',
      { status: 200, body: { oncalls: [{ user: { id: 'P1' } }], more: false } },
      /not understood/,
    ],
    ['half a page', { status: 200, body: { oncalls: [] } }, /not understood \(more\)/],
    ['pages without end', { status: 200, body: { oncalls: [], more: true } }, /more than 5000/],
    [
      'somebody of another schedule',
      {
        status: 200,
        body: { oncalls: [{ user: { email: 'a@b.cd' }, schedule: { id: 'POTHER' } }], more: false },
      },
      /another schedule/,
    ],
    [
      'somebody of no schedule',
      { status: 200, body: { oncalls: [{ user: { email: 'a@b.cd' }, schedule: null }], more: false } },
      /another schedule/,
    ],
    ['an answer that is too long', { status: 200, body: 'x'.repeat(1_100_000) }, /more than 1 MiB/],
    [
      'a redirect, which would be given the key',
      { status: 302, headers: { location: 'https://elsewhere.test/' } },
      /sends elsewhere/,
    ],
  ])('%s', async (_, fault, message) => {
    pagerduty.faults = [fault];
    expect((await failure(read())).message).toMatch(message);
  });

  test('one page of several that fails leaves out nobody in silence', async () => {
    pagerduty.oncalls = Array.from({ length: 5 }, () => ({ schedule: 'PDESK', email: 'ana@example.org' }));
    pagerduty.faults = [undefined, undefined, { status: 500 }];
    expect((await failure(read())).message).toContain('answered 500');
  });
});

test('without https nothing is asked', async () => {
  const source = pagerdutySource({ token: FAKE_PAGERDUTY_TOKEN, apiUrl: 'http://pagerduty.test' }, 'PDESK');
  expect((await failure(source.shifts(WINDOW))).message).toContain('https');
});
