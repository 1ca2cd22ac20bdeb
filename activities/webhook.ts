import { ApplicationFailure } from '@temporalio/common';
import { fetch } from 'undici';
import { assertOutward, LinkLocalAddress, outward } from '../src/net/outward.ts';
import { webhookSignature } from '../src/sdk/webhook.ts';

const TIMEOUT_MS = 5_000;

/** The headers of Standard Webhooks; the receiver's side is `verifyWebhook` of the SDK. */
export function webhookHeaders(secret: string, id: string, at: Date, body: string): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': webhookSignature(secret, id, timestamp, body),
  };
}

/**
 * Sends a webhook: only a 2xx within 5 s means that it was taken, and redirects are not followed. The address stays out
 * of the error: it may hold a secret, and errors are read by many.
 */
export async function post(url: string, headers: Record<string, string>, body: string): Promise<void> {
  const failed = (what: string) =>
    ApplicationFailure.create({ message: `The webhook was not taken: ${what}`, type: 'webhook.failed' });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const request = { method: 'POST', headers, body, redirect: 'manual', signal, dispatcher: outward } as const;
  const send = async () => {
    assertOutward(url);
    return fetch(url, request);
  };
  const response = await send().catch((error: unknown) => {
    const refused = error instanceof LinkLocalAddress || (error as Error).cause instanceof LinkLocalAddress;
    throw failed(refused ? 'its address is link-local, where nothing is sent' : 'no answer');
  });
  await response.body?.cancel();
  if (!response.ok) throw failed(`status ${response.status}`);
}
