/** Where workflows and their activities wait for a worker, apart by what they do: none waits behind another kind. */
export const QUEUES = {
  approvals: 'portcullis-approvals',
  rollouts: 'portcullis-rollouts',
  alerts: 'portcullis-alerts',
  callbacks: 'portcullis-callbacks',
} as const;
export type QueueClass = keyof typeof QUEUES;

/** The one queue of versions before: runs that began there end there, and rollouts move on to theirs. */
export const SHARED_QUEUE = 'portcullis';
