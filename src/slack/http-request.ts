import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A request as it came over the wire: what is signed is its bytes, not what they mean. */
export interface SlackHttpRequest {
  headers: IncomingHttpHeaders;
  rawBody: Buffer;
}

const AWAY_MAX_MS = 5 * 60_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Why a request is not Slack's, or `undefined` when it is: HMAC-SHA-256 of `v0:timestamp:body` under the signing
 * secret (docs.slack.dev/authentication/verifying-requests-from-slack). The time may be off by five minutes either
 * way: one from the future is as wrong as an old one. By hand: Bolt's own check takes the body as text, so that bytes
 * that are none become others, and any time from the future.
 */
export function signatureProblem(
  signingSecret: string,
  { headers, rawBody }: SlackHttpRequest,
  now: Date,
): string | undefined {
  const timestamp = headers['x-slack-request-timestamp'];
  const signature = headers['x-slack-signature'];
  // Node joins repeated headers by commas, and then they are neither.
  if (typeof timestamp !== 'string' || !/^\d{1,11}$/.test(timestamp))
    return 'x-slack-request-timestamp is missing, repeated or not a number';
  if (typeof signature !== 'string' || !/^v0=[0-9a-f]{64}$/.test(signature))
    return 'x-slack-signature is missing, repeated or not of the form v0=…';
  if (Math.abs(now.getTime() - Number(timestamp) * 1_000) > AWAY_MAX_MS)
    return 'x-slack-request-timestamp is more than 5 minutes away from the time here';
  const right = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(rawBody).digest();
  return timingSafeEqual(right, Buffer.from(signature.slice('v0='.length), 'hex'))
    ? undefined
    : 'x-slack-signature is not of this body and SLACK_SIGNING_SECRET';
}

/** What the body says: JSON (events), a form's `payload` (interactivity, options) or the form (commands). */
export function parseSlackBody({ headers, rawBody }: SlackHttpRequest): Record<string, unknown> | undefined {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  try {
    const text = UTF8.decode(rawBody);
    if (type === 'application/json') return objectIn(text);
    if (type !== 'application/x-www-form-urlencoded') return undefined;
    const form = new URLSearchParams(text);
    const payload = form.get('payload');
    if (payload !== null) return objectIn(payload);
    return form.size > 0 ? Object.fromEntries(form) : undefined;
  } catch {
    return undefined;
  }
}

function objectIn(json: string): Record<string, unknown> | undefined {
  const parsed: unknown = JSON.parse(json);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : undefined;
}
