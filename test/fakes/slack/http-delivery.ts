import { createHmac, randomUUID } from 'node:crypto';
import { ACK_WITHIN_MS, type AckRecord, type Carrier, type Delivery } from './carrier.ts';
import { isJson, type Json, str } from './json.ts';
import { waitFor } from './waiting.ts';
import type { World } from './world.ts';

/** Where the app takes requests, and the secret they are signed with. */
export type HttpTarget = { url: string; signingSecret: string };
/** What a person sees when an interaction or command was not answered in time, or not with 2xx. */
export type PersonFailure = { envelopeId: string; type: string; userId: string; reason: string };

/** The headers of a request in the form of Slack, signed at `at` (milliseconds). */
export function signed(
  secret: string,
  contentType: string,
  body: string | Buffer,
  at: number,
): { headers: Record<string, string> } {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  return {
    headers: {
      'content-type': contentType,
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
  };
}

/** Events as JSON, interactivity as a form with a payload, commands as a form. */
export function encoded(type: string, payload: Json): { contentType: string; body: string } {
  if (type === 'events_api') return { contentType: 'application/json', body: JSON.stringify(payload) };
  const fields = type === 'slash_commands' ? payload : { payload: JSON.stringify(payload) };
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) form.set(key, String(value));
  return { contentType: 'application/x-www-form-urlencoded', body: form.toString() };
}

/** HTTP delivery. Events that fail are sent again once by itself, then when a test redelivers; nothing else is. */
export class HttpDelivery implements Carrier {
  readonly acks: AckRecord[] = [];
  readonly failures: PersonFailure[] = [];
  private readonly tries = new Map<string, { n: number; reason: string }>();
  private answersToLose = 0;

  constructor(
    private readonly world: World,
    private readonly target: HttpTarget,
  ) {}

  /** Takes the answers of the next `times` requests as never come: the app did its work, and Slack does not know. */
  loseAnswers(times: number): void {
    this.answersToLose += times;
  }

  deliver(type: string, payload: Json, again?: Delivery): Delivery {
    const envelopeId = again?.envelopeId ?? randomUUID();
    const [seenAcks, seenFailures] = [this.acks.length, this.failures.length];
    const delivery: Delivery = {
      envelopeId,
      type,
      payload,
      connection: 0,
      sentAt: Date.now(),
      ack: (timeoutMs = ACK_WITHIN_MS + 1000) => {
        const find = () => {
          const failed = this.failures.slice(seenFailures).find((each) => each.envelopeId === envelopeId);
          if (failed) throw new Error(`the person sees an error: ${failed.reason}`);
          return this.acks.slice(seenAcks).find((each) => each.envelopeId === envelopeId);
        };
        return waitFor(this.world, `answer to ${type} ${envelopeId}`, find, timeoutMs);
      },
    };
    void this.send(delivery);
    return delivery;
  }

  private async send(delivery: Delivery): Promise<void> {
    const before = this.tries.get(delivery.envelopeId);
    const { status, body, reason } = await this.request(delivery, before);
    if (status >= 200 && status < 300) {
      const at = Date.now();
      const { envelopeId, type, sentAt } = delivery;
      this.acks.push({
        envelopeId,
        type,
        payload: ackPayload(body),
        at,
        delayMs: at - sentAt,
        connection: 0,
      });
      this.world.changed();
      return;
    }
    if (delivery.type !== 'events_api') {
      this.showFailure(delivery, reason);
      return;
    }
    const n = (before?.n ?? 0) + 1;
    this.tries.set(delivery.envelopeId, { n, reason });
    if (n === 1) await this.send(delivery);
  }

  private showFailure({ envelopeId, type, payload }: Delivery, reason: string): void {
    const userId = isJson(payload.user) ? str(payload.user.id) : str(payload.user_id);
    this.failures.push({ envelopeId, type, userId, reason });
    this.world.changed();
  }

  private async request(delivery: Delivery, before: { n: number; reason: string } | undefined) {
    const { contentType, body } = encoded(delivery.type, delivery.payload);
    const { headers } = signed(this.target.signingSecret, contentType, body, this.world.now());
    if (before) {
      headers['x-slack-retry-num'] = String(before.n);
      headers['x-slack-retry-reason'] = before.reason;
    }
    try {
      const signal = AbortSignal.timeout(ACK_WITHIN_MS);
      const answer = await fetch(this.target.url, { method: 'POST', headers, body, signal });
      const text = await answer.text();
      if (this.answersToLose > 0) {
        this.answersToLose -= 1;
        return { status: 0, body: '', reason: 'http_timeout' };
      }
      return { status: answer.status, body: text, reason: 'http_error' };
    } catch (error) {
      const timedOut = error instanceof Error && error.name === 'TimeoutError';
      return { status: 0, body: '', reason: timedOut ? 'http_timeout' : 'connection_failed' };
    }
  }
}

/** What an answer says: JSON, or text to show. */
function ackPayload(body: string): Json {
  if (body === '') return {};
  try {
    const parsed: unknown = JSON.parse(body);
    return isJson(parsed) ? parsed : { text: body };
  } catch {
    return { text: body };
  }
}
