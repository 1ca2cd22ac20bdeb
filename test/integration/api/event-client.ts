import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { expect } from 'vitest';
import type { PortcullisEvent } from '../../../src/events/event.ts';
import { SseReader } from '../../../src/events/sse.ts';

/** A connection to `/v1/events`, with everything that came on it. */
export interface Followed {
  status: number;
  headers: IncomingMessage['headers'];
  events: PortcullisEvent[];
  /** Everything, as it came. */
  text(): string;
  /** What a client would send as Last-Event-ID. */
  place(): string | undefined;
  /** Waits until so many events came. */
  count(number: number): Promise<PortcullisEvent[]>;
  /** The service ended it. */
  ended: Promise<void>;
  /** Begins to read, where it was opened paused. */
  resume(): void;
  leave(): void;
}

export interface FollowRequest {
  headers?: Record<string, string>;
  lastEventId?: string | number | undefined;
  method?: string;
  /** Reads nothing until `resume()`. */
  paused?: boolean;
}

/** Connects to a service that listens, on a connection of its own. */
export async function follow(base: string, query: string, given: FollowRequest): Promise<Followed> {
  const { lastEventId, method = 'GET', paused } = given;
  const headers = {
    ...given.headers,
    ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }),
  };
  const [sent, response] = await new Promise<[ClientRequest, IncomingMessage]>((resolve, reject) => {
    const client = request(`${base}/v1/events${query}`, { method, headers, agent: false }, (answer) =>
      resolve([client, answer]),
    );
    client.on('error', reject).end();
  });
  const reader = new SseReader();
  const events: PortcullisEvent[] = [];
  let text = '';
  const ended = new Promise<void>((resolve) => {
    response
      .on('end', resolve)
      .on('close', resolve)
      .on('error', () => resolve());
  });
  const read = () =>
    response.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (response.statusCode !== 200) return;
      for (const { event, data } of reader.read(piece)) {
        const parsed = JSON.parse(data) as PortcullisEvent;
        expect(parsed.kind).toBe(event);
        events.push(parsed);
      }
    });
  if (!paused) read();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => text,
    place: () => reader.lastEventId,
    async count(number) {
      await expect
        .poll(() => events.length, { timeout: 120_000, interval: 10 })
        .toBeGreaterThanOrEqual(number);
      return events;
    },
    ended,
    resume: () => void read(),
    leave: () => void sent.destroy(),
  };
}
