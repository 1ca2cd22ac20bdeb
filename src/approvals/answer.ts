import { type Actor, requireOwn, requireRole } from '../actor.ts';
import { proposeFromWord } from '../cases/from-people.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import type { StandingWish } from '../db/tables-action.ts';
import {
  type Eligibility,
  mayDeny,
  type Refusal,
  type Right,
  rightToApprove,
  rightToBreakGlass,
  slackMayApprove,
} from '../domain/approval/approval.ts';
import { AppError } from '../errors.ts';
import { reasonIn } from '../reason.ts';
import { type ActionRow, noSuchAction } from '../records/action.ts';
import type { Services } from '../services.ts';
import type { Answered, AnswerInput } from './answer-input.ts';
import { countAnswer } from './count-answer.ts';
import { assertMayStand, wishFrom } from './standing/wish.ts';
import { type Account, lockToDecide, type ToDecide } from './to-answer.ts';

/**
 * Counts a person's decision: standing, what they saw, lateness, not twice. Committed, with its receipt, when it
 * returns; Temporal is told afterwards and is not needed. An account is the person that the manifest says while it is held.
 * @throws AppError `not_eligible`, `not_pending`, `seen_outdated`, `already_decided`, `reason_needed`, `invalid_input`, `store_down`
 */
export async function answerAction(
  services: Services,
  who: Actor | Account,
  input: AnswerInput,
): Promise<Answered> {
  // A token says by itself what it may; an account is known only when the action is.
  if ('roles' in who) requireRole(who, ['approver']);
  if (input.breakGlass && input.verdict !== 'approve')
    throw new AppError(
      'invalid_input',
      'Cannot deny by breaking the glass: anyone eligible may deny without it',
    );
  const { reason, ...rest } = input;
  const seen = reasonIn(reason);
  const told = { ...rest, ...(seen === undefined ? {} : { reason: seen }) };
  const decided = await withoutDeadlock(() =>
    services.db.sql.transaction().execute((tx) => answerLocked(services, tx, who, told)),
  );
  services.wake();
  const { person, ...answered } = decided;
  if (answered.counted && answered.action.state === 'denied' && seen !== undefined)
    await proposeFromWord(services, { action: answered.action, because: 'denied', person });
  return answered;
}

async function answerLocked(
  services: Services,
  tx: Sql,
  who: Actor | Account,
  input: AnswerInput,
): Promise<Answered & { person: string }> {
  const known = await lockToDecide(tx, services.clock, who, input);
  const { actor, action, eligibility, answers } = known;
  const person = answererOf(actor, action);
  const cannot = (why: string) => new AppError('already_decided', `Cannot ${input.verdict}: ${why}`);
  const own = answers.find((one) => one.person === person);
  // Breaking the glass is another answer than approving with the others.
  if (own?.verdict === input.verdict && !(input.breakGlass && action.state === 'pending'))
    return { action, counted: false, person };
  if (own?.verdict === 'deny') throw cannot(`${person} already decided to deny`);
  const others = answers.filter((one) => one !== own && one.verdict === 'approve');
  const right = rightOf(
    person,
    actor,
    eligibility,
    action,
    input,
    others.map((one) => one.for),
  );
  assertOpen(action, input, known.at);
  const other = others.find((one) => one.for === right.for);
  if (other && input.verdict === 'approve') throw cannot(`${other.person} already decided for ${right.for}`);
  const standingWish = await wishOf(tx, known, input);
  const decided = await countAnswer(services, tx, { person, known, right, input, standingWish });
  return { action: decided, counted: true, person };
}

/** What is approved beside this one: it goes with approving it together with the others, and with nothing else. */
async function wishOf(
  tx: Sql,
  { actor, action, eligibility, answers }: ToDecide,
  input: AnswerInput,
): Promise<StandingWish | undefined> {
  const approves = input.verdict === 'approve' && !input.breakGlass;
  if (!input.standing) {
    if (approves && action.standing_wish && input.together)
      throw new AppError(
        'wrong_state',
        'Cannot approve together with others: approving it approves the like of it too. Answer it by itself',
      );
    if (approves && action.standing_wish && input.revision === undefined)
      throw new AppError(
        'seen_outdated',
        'Cannot approve: approving it approves the like of it too. Send the revision that showed this',
      );
    return undefined;
  }
  if (!approves) {
    const what = input.breakGlass ? 'breaking the glass is for this one alone' : 'it goes with approving it';
    throw new AppError('invalid_input', `Cannot approve the like of it: ${what}`);
  }
  const wish = wishFrom(actor, action, input.standing);
  await assertMayStand(tx, { action, agent: eligibility.agent, answers: answers.length }, wish);
  return wish;
}

/** The person who acts, with the role it takes. @throws AppError `not_found`, `forbidden`, `not_eligible` */
export function answererOf(actor: Actor, action: Pick<ActionRow, 'id' | 'agent'>): string {
  requireOwn(actor, action, noSuchAction(action.id));
  requireRole(actor, ['approver']);
  if (!actor.person) throw new AppError('not_eligible', 'Cannot decide: the token stands for no person');
  return actor.person;
}

/** Still waiting, in time, and the very thing the person saw. */
export function assertOpen(
  action: ActionRow,
  input: Pick<AnswerInput, 'digest' | 'revision' | 'receivedAt'> & { verdict: string },
  now: Date,
): void {
  const cannot = (code: 'not_pending' | 'seen_outdated', why: string, details?: Record<string, unknown>) =>
    new AppError(code, `Cannot ${input.verdict}: ${why}`, details);
  if (action.state !== 'pending')
    throw cannot('not_pending', `the action is already ${action.state}`, { state: action.state });
  if (action.expires_at && (input.receivedAt ?? now) > action.expires_at)
    throw cannot('not_pending', `it expired at ${action.expires_at.toISOString()}`, { state: 'expired' });
  if (input.digest !== undefined && input.digest !== action.args_digest)
    throw cannot('seen_outdated', 'the arguments shown are not those of the action');
  if (input.revision !== undefined && input.revision !== action.revision)
    throw cannot('seen_outdated', 'the action changed since it was shown');
}

function rightOf(
  person: string,
  actor: Actor,
  eligibility: Eligibility,
  action: ActionRow,
  input: AnswerInput,
  taken: readonly string[],
): Right {
  if (input.verdict === 'deny') {
    const refusal = mayDeny(person, eligibility, action);
    if (refusal) throw refused(input.verdict, refusal);
    return { for: person, options: [] };
  }
  const needsReason = input.breakGlass || action.approval?.reason === 'required';
  if (needsReason && input.reason === undefined) {
    const why = input.breakGlass ? 'breaking the glass needs a reason' : 'its release wants a reason';
    throw new AppError('reason_needed', `Cannot approve: ${why}`);
  }
  if (actor.via === 'slack' && !slackMayApprove(action)) {
    const message =
      'its release wants it approved on the page or by CLI: a Slack account alone is not enough';
    throw refused('approve', { because: 'not_from_slack', message });
  }
  const answer = input.breakGlass
    ? rightToBreakGlass(person, eligibility, action)
    : rightToApprove(person, eligibility, action, taken);
  if ('refusal' in answer) throw refused('approve', answer.refusal);
  return answer.right;
}

/** What a person is told who may not. */
export const refused = (verb: string, refusal: Refusal): AppError =>
  new AppError('not_eligible', `Cannot ${verb}: ${refusal.message}`, { ...refusal });
