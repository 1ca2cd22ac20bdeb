import { setTimeout as sleep } from 'node:timers/promises';
import type { PortcullisEvent } from './event.ts';
import { SseReader } from './sse.ts';

/** The service speaks at least every 15 s: after three times as long nobody is there. */
const SILENT_MS = 45_000;
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;

export interface Following {
  /** Opens the stream after the event of this number, or now. Rejects when the service refuses or is away. */
  open(lastEventId: string | undefined, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Whether connecting again is useless. The first connection must succeed in any case. */
  isFinal(error: unknown): boolean;
  after?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told when the connection is lost and will be opened again; nothing is missed. */
  onLost?: (() => void) | undefined;
}

/**
 * Follows events for as long as the signal lets it, through reconnections: each event once, in order.
 * @throws what `open` rejects with, when it is final or the first connection
 */
export async function* followEvents(following: Following): AsyncGenerator<PortcullisEvent, void> {
  const { signal = new AbortController().signal, after, isFinal, onLost } = following;
  let lastEventId = after === undefined ? undefined : String(after);
  let retryMs = RETRY_MS;
  for (let failures = 0, connected = false; !signal.aborted; failures++) {
    const reader = new SseReader();
    try {
      for await (const piece of piecesOf(following, lastEventId, signal)) {
        [failures, connected] = [0, true];
        for (const { data } of reader.read(piece)) yield JSON.parse(data) as PortcullisEvent;
        lastEventId = reader.lastEventId ?? lastEventId;
        retryMs = reader.retryMs ?? retryMs;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!connected || isFinal(error)) throw error;
    }
    if (failures === 0) onLost?.();
    await sleep(Math.min(RETRY_MAX_MS, retryMs * 2 ** failures), undefined, { signal }).catch(() => {});
  }
}

/** The text of one connection. It ends, or rejects, with the connection, and when the service fell silent. */
async function* piecesOf(
  { open }: Following,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(new Error('The service fell silent')), SILENT_MS);
  const decoder = new TextDecoder();
  try {
    for await (const piece of await open(lastEventId, AbortSignal.any([signal, silent.signal]))) {
      timer.refresh();
      yield decoder.decode(piece, { stream: true });
    }
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}
