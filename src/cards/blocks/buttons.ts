import { z } from 'zod';
import { SCOPE_PATTERN } from '../../domain/scope.ts';

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
  /** Answer what waits in the digest of an agent together: opens a modal. */
  digestAnswer: 'digest.answer',
  open: 'link.open',
  /** Take back a standing approval, from the App Home. */
  homeRevoke: 'home.revoke',
  /** Choose what to switch off, from the App Home. */
  homeDisable: 'home.disable',
  gateApprove: 'gate.approve',
  gateReject: 'gate.reject',
  alertRollback: 'alert.rollback',
  alertDisable: 'alert.disable',
  alertWhy: 'alert.why',
  /** Say by which mechanism an incident happened: opens a modal. */
  incidentClassify: 'incident.classify',
  /** A function has read the page of a week. */
  reviewRead: 'review.read',
  /** It has something to say of it: opens a modal. */
  reviewComment: 'review.comment',
} as const;

const actionValue = z.strictObject({
  id: z.uuid(),
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
const gateValue = z.strictObject({ rollout: z.string(), agent: z.string(), step: z.int() });
const gateMeta = gateValue.extend({ channel: z.string(), ts: z.string() });
const incidentValue = z.strictObject({ incident: z.string(), agent: z.string() });
const incidentMeta = incidentValue.extend({ revision: z.int(), channel: z.string(), ts: z.string() });
const disableValue = z.strictObject({
  alert: z.string(),
  scope: z.string().regex(SCOPE_PATTERN),
});
const whyValue = z.strictObject({ alert: z.string() });
const reviewValue = z.strictObject({ week: z.string().regex(/^\d{4}-W\d{2}$/) });
const reviewMeta = reviewValue.extend({ channel: z.string(), ts: z.string() });
const placeMeta = z.strictObject({ id: z.string(), channel: z.string(), ts: z.string() });
const seenMeta = placeMeta.extend(actionValue.shape);
const channelMeta = z.strictObject({ channel: z.string() });
const standingValue = z.strictObject({ standing: z.string(), agent: z.string() });
const digestValue = z.strictObject({ agent: z.string() });
const batchMeta = z.strictObject({ agent: z.string(), id: z.string(), channel: z.string(), ts: z.string() });

export const MORE = ['reason', 'edit', 'standing', 'batch', 'glass'] as const;
export type More = (typeof MORE)[number];
/** What an option of the overflow menu carries: an option's value holds 75 characters. */
export const moreValue = (verb: More, id: string): string => `${verb}:${id}`;
const moreSchema = z
  .string()
  .transform((value) => value.split(':'))
  .pipe(z.tuple([z.enum(MORE), z.string()]));

/** @throws ZodError for a value that this service did not write */
export function parseMore(value: string): { verb: More; id: string } {
  const [verb, id] = moreSchema.parse(value);
  return { verb, id };
}

/** What was shown: the action at one revision with one digest of its arguments. */
export type ActionValue = z.infer<typeof actionValue>;
export type RollbackValue = z.infer<typeof rollbackValue>;
/** The gate a modal is about, and the message it was opened from; `''` where there was none. */
export type GateMeta = z.infer<typeof gateMeta>;
/** The incident a modal is about, as it was seen, and the message it was opened from; `''` where there was none. */
export type IncidentMeta = z.infer<typeof incidentMeta>;
/** Where a modal was opened from. */
export type PlaceMeta = z.infer<typeof placeMeta>;
/** The same, and what the message showed of the action. */
export type SeenMeta = z.infer<typeof seenMeta>;
/** The agent a batch is of, and the message and action it was opened from; `''` where there was none. */
export type BatchMeta = z.infer<typeof batchMeta>;

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
  gate: codecOf(gateValue),
  gateMeta: codecOf(gateMeta),
  incident: codecOf(incidentValue),
  incidentMeta: codecOf(incidentMeta),
  disable: codecOf(disableValue),
  why: codecOf(whyValue),
  review: codecOf(reviewValue),
  reviewMeta: codecOf(reviewMeta),
  place: codecOf(placeMeta),
  seen: codecOf(seenMeta),
  standing: codecOf(standingValue),
  digest: codecOf(digestValue),
  batch: codecOf(batchMeta),
  channel: codecOf(channelMeta),
} as const;

/** What an option that stands for one of many actions carries: all that was shown of it, in 75 characters. */
export const itemValue = ({ id, revision, digest }: ActionValue): string =>
  [packed(id.replaceAll('-', '')), revision.toString(36), packed(digest)].join('.');

const packed = (hex: string): string => Buffer.from(hex, 'hex').toString('base64url');
const unpacked = (text: string): string => Buffer.from(text, 'base64url').toString('hex');

/** @throws SyntaxError for a value that this service did not write */
export function parseItem(value: string): ActionValue {
  const [, id, revision, digest] = /^([\w-]{22})\.([0-9a-z]{1,8})\.([\w-]{43})$/.exec(value) ?? [];
  if (!id || !revision || !digest) throw new SyntaxError('not an item of a batch');
  return {
    id: unpacked(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    revision: Number.parseInt(revision, 36),
    digest: unpacked(digest),
  };
}
