export type { PortcullisEvent } from '../events/event.ts';
export * from './actions.ts';
export type { Calls, EventOptions } from './calls.ts';
export * from './client.ts';
export * from './errors.ts';
export type { Guard, GuardedCall, GuardOptions, Permit } from './guard.ts';
export type { OmittedResult } from './recordable.ts';
export {
  type ActionCallback,
  verifyWebhook,
  type Webhook,
  type WebhookHeaders,
  WebhookRefused,
} from './webhook.ts';
