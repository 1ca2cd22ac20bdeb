/** One message of a `text/event-stream`. */
export interface SseMessage {
  event: string;
  data: string;
}

/** One message as it is sent; neither part holds a line break. */
export const sseMessage = (id: number, { event, data }: SseMessage): string =>
  `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;

/** Keeps the connection open and moves the client's Last-Event-ID; a message to nobody. */
export const ssePlace = (id: number): string => `id: ${id}\n: still here\n\n`;

/** How long clients wait before they connect again. */
export const sseRetry = (ms: number): string => `retry: ${ms}\n`;

/**
 * Reads a stream of server-sent events piece by piece, wherever the pieces are cut (HTML Living Standard, 9.2.6). By
 * hand: eventsource-parser forgets the id of a message without data, which is how a heartbeat says where to go on.
 */
export class SseReader {
  /** Where to go on: the last id that was complete. */
  lastEventId: string | undefined;
  /** The server's own word on reconnecting. */
  retryMs: number | undefined;
  #rest = '';
  #id: string | undefined;
  #event = '';
  #data: string[] = [];

  /** The messages that this piece completes. */
  read(piece: string): SseMessage[] {
    // A carriage return at the very end may be half of a line's end.
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): SseMessage[] {
    if (line === '') return this.#complete();
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }

  #complete(): SseMessage[] {
    const message = { event: this.#event || 'message', data: this.#data.join('\n') };
    const isMessage = this.#data.length > 0;
    this.lastEventId = this.#id ?? this.lastEventId;
    this.#event = '';
    this.#data = [];
    return isMessage ? [message] : [];
  }
}
