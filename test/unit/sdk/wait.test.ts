import { describe, expect, test } from 'vitest';
import { createPortcullis } from '../../../src/sdk/index.ts';
import { type Answer, approved, begun, ended, pending, startStandIn } from './stand-in.ts';

const FAILURES = 5;
/** The connections that break while a service restarts: 1.5 s. */
const RESTART = 4;

const client = (url: string) => createPortcullis({ url, token: 't', agentVersion: '1' });
const nothing = {};

describe.concurrent('wait() goes on', () => {
  test.each<[string, Answer]>([
    ['connections that break', { drop: true, body: nothing }],
    ['a store that is down', { status: 503, body: { code: 'store_down', detail: 'away' } }],
    ['a proxy without a service behind it', { status: 502, text: '<h1>Bad Gateway</h1>', body: nothing }],
    ['a proxy that gives up', { status: 504, text: 'upstream timed out', body: nothing }],
    ['a page in its place', { status: 200, text: '<h1>Back soon</h1>', body: nothing }],
    ['an error of its own', { status: 500, body: { code: 'internal', detail: 'oops' } }],
    ['too many requests', { status: 429, body: { code: 'rate_limited', detail: 'slower' } }],
  ])('through %s', async (_, failure) => {
    await using service = await startStandIn((_seen, times) =>
      times <= FAILURES ? failure : { body: times === FAILURES + 1 ? pending : approved },
    );
    expect(await client(service.url).wait('a-1')).toMatchObject({ state: 'approved' });
    expect(service.seen).toHaveLength(FAILURES + 2);
  });

  test('until the signal ends it', async () => {
    const stop = AbortSignal.timeout(900);
    const waiting = client('http://127.0.0.1:1').wait('a-1', stop);
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each([
    [404, 'not_found'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
  ])('but not after a %s', async (status, code) => {
    await using service = await startStandIn(() => ({ status, body: { code, detail: 'no' } }));
    await expect(client(service.url).wait('a-1')).rejects.toMatchObject({ code, status });
    expect(service.seen).toHaveLength(1);
  });
});

test('a guarded call waits through each of its calls, as over a restart', async () => {
  const answers: [string, Answer][] = [
    ['?begin=true', { status: 202, body: pending }],
    ['?wait=30s', { body: approved }],
    ['/begin', { body: begun() }],
    ['/complete', { body: ended('executed') }],
  ];
  await using service = await startStandIn(({ path }, times) =>
    times <= RESTART
      ? { drop: true, body: nothing }
      : (answers.find(([end]) => path.endsWith(end))?.[1] as Answer),
  );
  const run = client(service.url).guard('cancel', async () => 'done');
  expect(await run({}, { subject: 'c', idempotencyKey: 'k' })).toBe('done');
  expect(service.seen).toHaveLength(answers.length * (RESTART + 1));
}, 20_000);

test('a question is given up when the service stays away for longer than the patience', async () => {
  const url = 'http://127.0.0.1:1';
  const { ask } = createPortcullis({ url, token: 't', agentVersion: '1', patienceMs: 250 });
  const question = { tool: 'cancel', args: {}, subject: 'c', idempotencyKey: 'k' };
  await expect(ask(question)).rejects.toMatchObject({ code: 'unreachable' });
});
