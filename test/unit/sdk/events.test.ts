import { expect, test, vi } from 'vitest';
import { sseMessage, ssePlace, sseRetry } from '../../../src/events/sse.ts';
import { createPortcullis, type PortcullisError, type PortcullisEvent } from '../../../src/sdk/index.ts';

const AT = '2026-01-01T00:00:00.000Z';
const message = (seq: number): string =>
  sseMessage(seq, {
    event: 'action.approved',
    data: JSON.stringify({ seq, at: AT, kind: 'action.approved' }),
  });

interface Connection {
  status?: number;
  body?: string;
  /** Breaks the connection instead of ending it. */
  breaks?: boolean;
  away?: boolean;
}

/** A service whose connections go one after the other as the test says; the last one stays. */
function given(...connections: Connection[]) {
  const asked: { url: string; lastEventId: string | null }[] = [];
  const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    const url = String(input);
    asked.push({ url, lastEventId: new Headers(init?.headers).get('last-event-id') });
    const stays = connections.length === 1;
    const connection = stays ? connections[0] : connections.shift();
    const { status = 200, body = '', breaks, away } = connection ?? {};
    if (away) throw new TypeError('fetch failed');
    if (status !== 200) return new Response(body, { status });
    return new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(body));
          if (stays) init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
        // Called again once what there was has been read.
        pull(controller) {
          if (stays) return new Promise(() => {});
          if (breaks) controller.error(new TypeError('terminated'));
          else controller.close();
        },
      }),
    );
  };
  return { asked, client: createPortcullis({ url: 'http://service', token: 't', agentVersion: '1', fetch }) };
}

async function take(events: AsyncGenerator<PortcullisEvent, void>, count: number): Promise<number[]> {
  const seen: number[] = [];
  for await (const { seq } of events) {
    seen.push(seq);
    if (seen.length === count) break;
  }
  return seen;
}

const QUICK = sseRetry(1);

test('each event once and in order, through connections that end, break, and are refused for now', async () => {
  const { client, asked } = given(
    { body: `${QUICK}${ssePlace(6)}${message(7)}${message(8)}${message(9).slice(0, 20)}`, breaks: true },
    { away: true },
    { status: 503 },
    { body: `${QUICK}${message(9)}` },
    { body: `${QUICK}${ssePlace(11)}` },
    { body: `${QUICK}${message(12)}` },
  );
  expect(await take(client.events({ kinds: ['action'], action: 'a-1' }), 4)).toEqual([7, 8, 9, 12]);
  expect(asked.map(({ lastEventId }) => lastEventId)).toEqual([null, '8', '8', '8', '9', '11']);
  expect(asked[0]?.url).toBe('http://service/v1/events?action=a-1&kinds=action');
});

test('after: the first connection goes on from there', async () => {
  const { client, asked } = given({ body: `${QUICK}${message(4)}` });
  await take(client.events({ after: 3 }), 1);
  expect(asked[0]?.lastEventId).toBe('3');
});

test('a first connection that fails and a refusal at any time are errors', async () => {
  const failing = (...connections: Connection[]) =>
    take(given(...connections).client.events(), 9).catch((error: PortcullisError) => error.code);
  expect(await failing({ away: true })).toBe('unreachable');
  const refused = JSON.stringify({ code: 'unauthenticated', detail: 'revoked' });
  expect(await failing({ status: 401, body: refused })).toBe('unauthenticated');
  const later = failing({ body: `${QUICK}${message(1)}` }, { status: 401, body: refused }, {});
  expect(await later).toBe('unauthenticated');
});

test('the signal ends it without an error; so does a loop that is left', async () => {
  const { client } = given({ body: `${QUICK}${message(1)}` });
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const { seq } of client.events({ signal: stop.signal })) {
    seen.push(seq);
    setTimeout(() => stop.abort(), 5);
  }
  expect(seen).toEqual([1]);
});

test('a service that falls silent is left, and found again', async () => {
  vi.useFakeTimers();
  try {
    const { client, asked } = given({ body: `${QUICK}${message(1)}` });
    const events = client.events();
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    const next = events.next();
    await vi.advanceTimersByTimeAsync(44_000);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    vi.useRealTimers();
    expect((await next).value).toMatchObject({ seq: 1 });
    expect(asked.map(({ lastEventId }) => lastEventId)).toEqual([null, '1']);
  } finally {
    vi.useRealTimers();
  }
});
