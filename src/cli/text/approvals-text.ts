import { outcomeOf } from '../../domain/action.ts';
import type { WireAction, WireAnswer, WireReview, WireStandingApproval } from '../wire.ts';
import { standingWishText } from './action-text.ts';
import { formatRelative, formatTime, formatTimeAndDistance } from './format.ts';
import { shortId, shortIds } from './ids.ts';
import { bullets, command, paragraph, sections, table } from './render.ts';

/** What waits for this person. */
export function queueText(actions: readonly WireAction[], now: Date, width: number): string {
  if (actions.length === 0)
    return `Nothing waits for you. What waits for others:\n${command('portcullis action list --state pending')}`;
  const short = shortIds(actions.map(({ id }) => id));
  const rows = actions.map((action) => [
    short(action.id),
    `${action.agent}: ${action.summary}\n${placeText(action)}`,
    waitText(action, now),
  ]);
  return sections(
    table(['action', 'what', 'waits for'], rows, width),
    `Next:\n${command(`portcullis approvals approve ${short(actions[0]?.id ?? '')}`)}`,
  );
}

const placeText = ({ risk, segment }: WireAction): string =>
  [`${risk} risk`, segment].filter((part) => part !== undefined).join(', ');

function waitText({ approval, askedAt, expiresAt }: WireAction, now: Date): string {
  const lines = [
    approval?.group,
    `asked ${formatRelative(askedAt, now)}`,
    expiresAt && `expires ${formatRelative(expiresAt, now)}`,
  ];
  return lines.filter((line) => line).join('\n');
}

/** Several actions side by side, with their arguments in full: what an answer to all of them would be about. */
export function preflightText(actions: readonly WireAction[], now: Date, width: number): string {
  const short = shortIds(actions.map(({ id }) => id));
  const rows = actions.map((action) => [
    short(action.id),
    [
      `${action.agent}: ${action.summary}`,
      `${action.state === 'pending' ? placeText(action) : action.state.toUpperCase()}, asked ${formatRelative(action.askedAt, now)}`,
      action.args ? JSON.stringify(action.args) : 'arguments erased',
      ...(action.standingWish ? [standingWishText(action.standingWish)] : []),
    ].join('\n'),
  ]);
  return sections(
    ...actions
      .filter(({ testMode }) => testMode)
      .slice(0, 1)
      .map(() => TEST_MODE),
    table(['action', `what (${actions.length})`], rows, width),
  );
}

const TEST_MODE = 'TEST MODE: owners may approve what their own agent asks.';

/** Whether the answer stands: one that was said before is none where the action is void since then. */
export const stands = (one: WireAnswer, verdict: 'approve' | 'deny'): boolean =>
  'state' in one && (verdict === 'approve' ? outcomeOf(one) !== 'denied' : one.state === 'denied');

/** What became of each. */
export function answersText(
  results: readonly WireAnswer[],
  verdict: 'approve' | 'deny',
  width: number,
): string {
  const failed = results.filter((one) => !stands(one, verdict));
  const word = verdict === 'approve' ? 'approved' : 'denied';
  const short = shortIds(results.map(({ id }) => id));
  const rows = results.map((one) => [
    short(one.id),
    stands(one, verdict) ? word : `NOT ${word}`,
    resultText(one),
  ]);
  return sections(
    table(['action', 'answer', 'result'], rows, width),
    failed.length > 0
      ? paragraph(`${failed.length} of ${results.length} were not ${word}: look at them again.`, width)
      : undefined,
  );
}

function resultText(one: WireAnswer): string {
  if ('code' in one) return `${one.message} (${one.code})`;
  const before = one.counted ? '' : ', said before';
  return one.state === 'pending' ? `waits for more people${before}` : `${one.state}${before}`;
}

/** Approvals that one person gave alone and that wait for a second one's word. */
export function reviewsText(reviews: readonly WireReview[], now: Date, width: number): string {
  if (reviews.length === 0)
    return 'Nothing to review: every approval that somebody gave alone was looked at, or there was none.';
  const short = shortIds(reviews.map(({ action }) => action.id));
  const rows = reviews.map(({ action, person, at, via, reason }) => [
    short(action.id),
    `${action.agent}: ${action.summary}\n${person} by ${via}: "${reason}"\n${formatTimeAndDistance(at, now)}`,
  ]);
  const next = `portcullis approvals review ${short(reviews[0]?.action.id ?? '')} --justified yes --note "..."`;
  return sections(table(['action', 'approved alone'], rows, width), `Next:\n${command(next)}`);
}

/** Standing approvals, live or ended. */
export function standingText(rows: readonly WireStandingApproval[], now: Date, width: number): string {
  if (rows.length === 0)
    return `No standing approvals. Give one with an approval:\n${command("portcullis approvals approve <action> --standing 'args.amount <= 50' --times 5 --for 1h")}`;
  const short = shortIds(rows.map(({ id }) => id));
  const cells = rows.map((one) => [
    short(one.id),
    [
      `${one.tool} of ${one.agent}, ${one.segment}: ${one.envelope}`,
      `used ${one.used} of ${one.maxUses}, ${one.endedAt ? endText(one) : `until ${formatTimeAndDistance(one.expiresAt, now)}`}`,
      `by ${one.createdBy}, with action ${shortId(one.action)}`,
    ].join('\n'),
  ]);
  return table(['id', 'standing approval'], cells, width);
}

const endText = ({ endedAt, endedBecause, endedBy }: WireStandingApproval): string =>
  `ended ${formatTime(endedAt ?? '')}: ${endedBecause}${endedBy ? ` by ${endedBy}` : ''}`;

/** The differences of an edit, one line each. */
export const changesText = (changes: readonly string[], width: number): string =>
  `Changes\n${bullets(changes, width)}`;
