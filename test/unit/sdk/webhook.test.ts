import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { webhookHeaders } from '../../../activities/webhook.ts';
import { verifyWebhook, WebhookRefused } from '../../../src/sdk/index.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const AT = new Date('2026-01-01T12:00:00Z');
const BODY = JSON.stringify({ type: 'action.approved', timestamp: AT.toISOString(), data: { id: 'a-1' } });
const HEADERS = webhookHeaders(SECRET, 'a-1/2', AT, BODY);
const later = (ms: number) => new Date(AT.getTime() + ms);

/** What a receiver is told. */
function refusal(...given: Parameters<typeof verifyWebhook>): string {
  try {
    verifyWebhook(...given);
    return 'taken';
  } catch (error) {
    if (error instanceof WebhookRefused) return error.because;
    throw error;
  }
}

describe('verifyWebhook', () => {
  test('gives what was signed, from headers in any form and a body as text or bytes', () => {
    const webhook = {
      id: 'a-1/2',
      type: 'action.approved',
      timestamp: AT.toISOString(),
      data: { id: 'a-1' },
    };
    expect(verifyWebhook(SECRET, HEADERS, BODY, AT)).toEqual(webhook);
    expect(verifyWebhook(SECRET, new Headers(HEADERS), Buffer.from(BODY), AT)).toEqual(webhook);
    const upper = Object.fromEntries(
      Object.entries(HEADERS).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect(verifyWebhook(SECRET, upper, BODY, AT)).toEqual(webhook);
    expect(verifyWebhook('plain text', webhookHeaders('plain text', 'x', AT, BODY), BODY, AT).id).toBe('x');
  });

  test('agrees with the example of the Standard Webhooks specification', () => {
    const body = '{"test": 2432232314}';
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const at = new Date(1_614_265_330_000);
    expect(verifyWebhook(SECRET, headers, body, at)).toMatchObject({ test: 2_432_232_314 });
  });

  test('signs and takes what the library of Standard Webhooks signs and takes', () => {
    const library = new Webhook(SECRET);
    const texts = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{1,20}$/), texts, (id, text) => {
        const now = new Date();
        const body = JSON.stringify({ type: 'x', data: { text } });
        const ours = webhookHeaders(SECRET, id, now, body);
        expect(library.verify(body, ours as Record<string, string>)).toMatchObject({ data: { text } });
        const theirs = { ...ours, 'webhook-signature': library.sign(id, now, body) };
        expect(verifyWebhook(SECRET, theirs, body, now)).toMatchObject({ id, data: { text } });
        expect(() => library.verify(`${body} `, ours as Record<string, string>)).toThrow();
        expect(refusal(SECRET, theirs, `${body} `, now)).toBe('signature');
      }),
    );
  });

  test('one good signature among several is enough: a secret can be changed while both are known', () => {
    const old = webhookHeaders('the old secret', 'a-1/2', AT, BODY)['webhook-signature'];
    const both = { ...HEADERS, 'webhook-signature': `${old} v2,abc ${HEADERS['webhook-signature']}` };
    expect(refusal(SECRET, both, BODY, AT)).toBe('taken');
    expect(refusal(SECRET, { ...HEADERS, 'webhook-signature': String(old) }, BODY, AT)).toBe('signature');
  });

  test('five minutes on both sides, and not a second more', () => {
    expect(refusal(SECRET, HEADERS, BODY, later(300_000))).toBe('taken');
    expect(refusal(SECRET, HEADERS, BODY, later(-300_000))).toBe('taken');
    expect(refusal(SECRET, HEADERS, BODY, later(301_000))).toBe('timestamp');
    expect(refusal(SECRET, HEADERS, BODY, later(-301_000))).toBe('timestamp');
  });

  test('a time that is no number is refused even if it is signed', () => {
    for (const timestamp of ['NaN', '1e10', '', ' 1767268800', '1767268800.5', '99999999999999']) {
      const signed = webhookHeaders(SECRET, 'i', AT, BODY);
      const forged = { ...signed, 'webhook-timestamp': timestamp };
      expect(refusal(SECRET, forged, BODY, AT)).not.toBe('taken');
    }
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s it is refused', (name) => {
    expect(refusal(SECRET, { ...HEADERS, [name]: undefined }, BODY, AT)).toBe('headers');
    expect(refusal(SECRET, { ...HEADERS, [name]: ['a', 'b'] }, BODY, AT)).toBe('headers');
  });

  test('any change of body, id, time, signature or secret is refused', () => {
    const changed = fc.record({ at: fc.nat(), to: fc.integer({ min: 32, max: 126 }) });
    const part = fc.constantFrom('body', 'secret', 'webhook-id', 'webhook-timestamp', 'webhook-signature');
    fc.assert(
      fc.property(part, changed, (name, { at, to }) => {
        const change = (text: string) => {
          const place = at % text.length;
          return text.slice(0, place) + String.fromCharCode(to) + text.slice(place + 1);
        };
        const parts = {
          body: BODY,
          secret: 'a plain secret',
          ...webhookHeaders('a plain secret', 'i-1', AT, BODY),
        };
        const was = parts[name as keyof typeof parts];
        const is = change(was);
        fc.pre(is !== was);
        const { body, secret, ...headers } = { ...parts, [name]: is };
        expect(refusal(secret, headers, body, AT)).not.toBe('taken');
      }),
    );
  });

  test('signed, but no JSON object', () => {
    for (const body of ['', 'null', '3', '{']) {
      expect(refusal(SECRET, webhookHeaders(SECRET, 'i', AT, body), body, AT)).toBe('body');
    }
  });
});
