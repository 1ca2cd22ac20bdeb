import { z } from 'zod';
import { SCOPE_PATTERN } from '../switches/disable.ts';

/** `action_id` of every button; an alert's rollback buttons carry a number behind theirs. */
export const BUTTON = {
  approve: 'action.approve',
  deny: 'action.deny',
  denyReason: 'action.deny-reason',
  report: 'action.report',
  /** Approve, but the release wants a reason: opens a modal. */
  approveReason: 'action.approve-reason',
  /** Overflow menu of a card; its options carry `moreValue`. */
  more: 'action.more',
  open: 'link.open',
  alertRollback: 'alert.rollback',
  alertDisable: 'alert.disable',
  alertWhy: 'alert.why',
} as const;

const actionValue = z.strictObject({
  id: z.string(),
  revision: z.int(),
  digest: z.string(),
  /** The version of the card; what it said is kept under it. */
  version: z.int().optional(),
});
const rollbackValue = z.strictObject({
  alert: z.string(),
  rollout: z.string(),
  agent: z.string(),
  segment: z.string(),
});
const disableValue = z.strictObject({ alert: z.string(), scope: z.string().regex(SCOPE_PATTERN) });
const whyValue = z.strictObject({ alert: z.string() });
const placeMeta = z.strictObject({ id: z.string(), channel: z.string(), ts: z.string() });
const channelMeta = z.strictObject({ channel: z.string() });

export const MORE = ['reason', 'edit', 'standing', 'batch', 'glass'] as const;
export type More = (typeof MORE)[number];
/** What an option of the overflow menu carries: an option's value holds 75 characters. */
export const moreValue = (verb: More, id: string): string => `${verb}:${id}`;

/** What was shown: the action at one revision with one digest of its arguments. */
export type ActionValue = z.infer<typeof actionValue>;
export type RollbackValue = z.infer<typeof rollbackValue>;
/** Where a modal was opened from. */
export type PlaceMeta = z.infer<typeof placeMeta>;

interface Codec<T> {
  encode(value: T): string;
  /** @throws ZodError for a value that this service did not write */
  parse(text: string | undefined): T;
}

const codecOf = <T>(schema: z.ZodType<T>): Codec<T> => ({
  encode: (value) => JSON.stringify(value),
  parse: (text) => schema.parse(JSON.parse(text ?? '')),
});

/** One pair for each kind of value that goes through Slack and comes back. */
export const VALUE = {
  action: codecOf(actionValue),
  rollback: codecOf(rollbackValue),
  disable: codecOf(disableValue),
  why: codecOf(whyValue),
  place: codecOf(placeMeta),
  channel: codecOf(channelMeta),
} as const;
