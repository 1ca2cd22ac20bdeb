import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ActionState } from './actions.ts';

const TOLERANCE_MS = 5 * 60_000;
const VERSION = 'v1';

/** What the service sends, once its signature was checked. */
export interface Webhook<Data = Record<string, unknown>> {
  /** The same each time the same notice is sent: what was handled before is not handled again. */
  id: string;
  /** Such as `action.approved`. */
  type: string;
  /** When it happened, ISO 8601. */
  timestamp: string;
  data: Data;
}

/** The data of a callback: what became of a write, at one revision of its record. No arguments. */
export interface ActionCallback {
  id: string;
  agent: string;
  state: ActionState;
  outcome: 'allowed' | 'pending' | 'denied';
  decidedBy?: 'policy' | 'person';
  /** With state `superseded`: by what. */
  supersededBecause?: string;
  /** With state `denied`: the person's own words. */
  denyReason?: string;
  revision: number;
  url: string;
}

/** The webhook is not to be trusted; `because` says what is wrong with it. */
export class WebhookRefused extends Error {
  readonly because: 'headers' | 'timestamp' | 'signature' | 'body';

  constructor(because: WebhookRefused['because'], message: string) {
    super(message);
    this.name = 'WebhookRefused';
    this.because = because;
  }
}

export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Checks that the service sent this, at most five minutes ago (and at most five minutes ahead of this clock), and
 * reads it. Give the body as it came, byte for byte. By hand: standardwebhooks reads no bytes, no secret that is any text
 * and no clock but its own, and takes 1700000000abc for a time; the tests hold this to it.
 * @throws WebhookRefused
 */
export function verifyWebhook<Data = Record<string, unknown>>(
  secret: string,
  headers: WebhookHeaders,
  body: string | Uint8Array,
  now: Date = new Date(),
): Webhook<Data> {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => header(headers, name));
  if (!id || !timestamp || !signatures)
    throw new WebhookRefused('headers', 'webhook-id, webhook-timestamp or webhook-signature is missing');
  const expected = Buffer.from(webhookSignature(secret, id, timestamp, body));
  const signed = signatures.split(' ').some((given) => isSame(Buffer.from(given), expected));
  if (!signed) throw new WebhookRefused('signature', 'No signature is by this secret over this body');
  // A number and nothing else: what does not compare would pass any limit.
  const offMs = /^\d{1,12}$/.test(timestamp)
    ? Math.abs(now.getTime() - Number(timestamp) * 1_000)
    : Number.NaN;
  if (!(offMs <= TOLERANCE_MS))
    throw new WebhookRefused(
      'timestamp',
      'It was signed more than five minutes from now: sent again by somebody?',
    );
  return { ...read<Data>(body), id };
}

/** `v1,` and the HMAC-SHA-256 over `id.timestamp.body`; a secret is `whsec_` and base64, or any text. */
export function webhookSignature(
  secret: string,
  id: string,
  timestamp: string,
  body: string | Uint8Array,
): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  return `${VERSION},${hmac.digest('base64')}`;
}

const isSame = (given: Buffer, expected: Buffer): boolean =>
  given.length === expected.length && timingSafeEqual(given, expected);

function header(headers: WebhookHeaders, name: string): string | undefined {
  const key = `webhook-${name}`;
  if (headers instanceof Headers) return headers.get(key) ?? undefined;
  const [, value] = Object.entries(headers).find(([given]) => given.toLowerCase() === key) ?? [];
  return typeof value === 'string' ? value : undefined;
}

function read<Data>(body: string | Uint8Array): Omit<Webhook<Data>, 'id'> {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Omit<Webhook<Data>, 'id'>;
  } catch {
    // said below
  }
  throw new WebhookRefused('body', 'It is signed, but holds no JSON object');
}
