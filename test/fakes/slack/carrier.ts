import type { Json } from './json.ts';

/** An ack as it came back; `delayMs` counts from the (last) delivery. `connection` is 0 by HTTP. */
export type AckRecord = {
  envelopeId: string;
  type: string;
  payload: Json;
  at: number;
  delayMs: number;
  connection: number;
};
/** A payload on its way to the app. */
export type Delivery = {
  envelopeId: string;
  type: string;
  payload: Json;
  connection: number;
  sentAt: number;
  /** Waits for the ack; Slack shows the person an error after three seconds. */
  ack(timeoutMs?: number): Promise<AckRecord>;
};

/** How payloads come to the app: Socket Mode or HTTP. */
export interface Carrier {
  readonly acks: AckRecord[];
  /** Sends a payload; `again` is the delivery of the same one before. */
  deliver(type: string, payload: Json, again?: Delivery): Delivery;
}

/** Slack waits so long for an ack. */
export const ACK_WITHIN_MS = 3000;
