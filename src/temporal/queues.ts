import type { OutboxTable } from '../db/tables.ts';
import { QUEUES } from '../domain/queues.ts';

type Topic = OutboxTable['topic'];

const QUEUE_OF: Readonly<Record<Topic, string>> = {
  action: QUEUES.approvals,
  digest: QUEUES.approvals,
  rollout: QUEUES.rollouts,
  alert: QUEUES.alerts,
  callback: QUEUES.callbacks,
};

export const TOPICS = Object.keys(QUEUE_OF) as Topic[];

/** Where the workflows of a topic begin. */
export const queueOf = (topic: Topic): string => QUEUE_OF[topic];
