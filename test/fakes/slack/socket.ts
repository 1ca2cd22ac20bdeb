import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { ACK_WITHIN_MS, type AckRecord, type Carrier, type Delivery } from './carrier.ts';
import { isJson, type Json, SlackRefusal, str } from './json.ts';
import { waitFor } from './waiting.ts';
import type { World } from './world.ts';

/** Why Slack asks a client to reconnect. */
export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled';

type Connection = { number: number; socket: WebSocket; draining: boolean };

const CONNECTIONS_MAX = 10;
const PING_EVERY_MS = 10_000;
const CLOSE_WITHIN_MS = 200;

/** Socket Mode: connections, envelopes and their acks. */
export class SocketMode implements Carrier {
  readonly acks: AckRecord[] = [];
  private readonly server = new WebSocketServer({ noServer: true });
  private readonly tickets = new Set<string>();
  private readonly deliveries = new Map<string, Delivery>();
  private connections: Connection[] = [];
  private opened = 0;
  private turn = 0;

  constructor(private readonly world: World) {}

  /** How many connections are open now, and how many ever were. */
  get counts(): { open: number; ever: number } {
    return { open: this.connections.length, ever: this.opened };
  }

  /** A ticket for one connection, as apps.connections.open hands out. */
  issueTicket(): string {
    if (this.connections.length >= CONNECTIONS_MAX) throw new SlackRefusal('too_many_websockets');
    const ticket = randomUUID();
    this.tickets.add(ticket);
    return ticket;
  }

  /** Takes the WebSocket upgrade of a client with a ticket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = new URL(request.url ?? '/', 'http://fake').searchParams.get('ticket') ?? '';
    if (!this.tickets.delete(ticket)) {
      socket.destroy();
      return;
    }
    this.server.handleUpgrade(request, socket, head, (webSocket) => this.accept(webSocket));
  }

  /** Sends a payload to ONE of the open connections, each in turn. */
  deliver(type: string, payload: Json, again?: Delivery): Delivery {
    const ready = this.connections.filter((each) => !each.draining);
    const open = ready.length > 0 ? ready : this.connections;
    const connection = open[this.turn++ % Math.max(1, open.length)];
    if (!connection)
      throw new Error('fake Slack: no Socket Mode connection is open, the person sees an error');
    const envelopeId = again?.envelopeId ?? randomUUID();
    const seen = this.acks.length;
    const delivery: Delivery = {
      envelopeId,
      type,
      payload,
      connection: connection.number,
      sentAt: Date.now(),
      ack: (timeoutMs = ACK_WITHIN_MS) => {
        const find = () => this.acks.slice(seen).find((ack) => ack.envelopeId === envelopeId);
        return waitFor(this.world, `ack of ${type} ${envelopeId}`, find, timeoutMs);
      },
    };
    this.deliveries.set(envelopeId, delivery);
    const retry = again ? { retry_attempt: 1, retry_reason: 'timeout' } : {};
    const envelope = {
      envelope_id: envelopeId,
      type,
      accepts_response_payload: type !== 'events_api',
      ...retry,
    };
    connection.socket.send(JSON.stringify({ ...envelope, payload }));
    return delivery;
  }

  /** Asks clients to reconnect, as Slack does before it recycles a host. Takes no new payload after that. */
  disconnect(reason: DisconnectReason, which: 'all' | 'one' = 'all'): void {
    for (const connection of which === 'all' ? this.connections : this.connections.slice(0, 1)) {
      connection.draining = reason !== 'warning';
      connection.socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'fake' } }));
    }
  }

  /** Cuts the connections without a word, as a lost network does. */
  drop(): void {
    for (const { socket } of this.connections) socket.terminate();
  }

  /** Closes everything for good; who does not answer the close frame is cut. */
  async stop(): Promise<void> {
    const open = this.connections.map(({ socket }) => socket);
    const closed = Promise.all(open.map((socket) => once(socket, 'close')));
    for (const socket of open) socket.close(1001);
    const cut = setTimeout(() => this.drop(), CLOSE_WITHIN_MS);
    await closed;
    clearTimeout(cut);
    this.server.close();
  }

  private accept(socket: WebSocket): void {
    const connection = { number: ++this.opened, socket, draining: false };
    this.connections.push(connection);
    const pings = setInterval(() => socket.ping(), PING_EVERY_MS);
    socket.on('message', (data) => this.receiveAck(String(data), connection.number));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearInterval(pings);
      this.connections = this.connections.filter((each) => each !== connection);
      this.world.changed();
    });
    const hello = {
      type: 'hello',
      num_connections: this.connections.length,
      connection_info: { app_id: this.world.workspace.appId },
      debug_info: { host: 'fake', started: new Date().toISOString(), approximate_connection_time: 18_060 },
    };
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(hello));
    this.world.changed();
  }

  private receiveAck(data: string, connection: number): void {
    const message: unknown = JSON.parse(data);
    if (!isJson(message)) return;
    const envelopeId = str(message.envelope_id);
    const delivery = this.deliveries.get(envelopeId);
    const at = Date.now();
    this.acks.push({
      envelopeId,
      type: delivery?.type ?? 'unknown',
      payload: isJson(message.payload) ? message.payload : {},
      at,
      delayMs: delivery ? at - delivery.sentAt : 0,
      connection,
    });
    this.world.changed();
  }
}
