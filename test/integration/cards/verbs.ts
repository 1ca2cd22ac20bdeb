import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { explainDenial } from '../../../src/approvals/explain.ts';
import { reviewBreakGlass } from '../../../src/approvals/review.ts';
import { revokeStandingApproval } from '../../../src/approvals/standing/end.ts';
import { listStandingApprovals } from '../../../src/approvals/standing/store.ts';
import { routeTo } from '../../../src/domain/approval/reach.ts';
import { passOn } from '../../../src/reaching/escalate.ts';
import { recordReach } from '../../../src/reaching/record-reach.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  actorOf,
  agentActor,
  approverActor,
  givenApprovedAction,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import type { TestServices } from '../../support/services.ts';
import { answer, givenBrokenGlass, givenRefund } from '../approvals/people.ts';

type Of = Pick<ActionRow, 'id'>;

/** Something that a card must follow: on what, and what is done. */
export interface CardVerb {
  name: string;
  given(services: TestServices): Promise<Of>;
  act(services: TestServices, action: Of): Promise<unknown>;
  /** What the card says then of how it stands. */
  says?: RegExp;
}

const AT = /2026-\d\d-\d\d \d\d:\d\d UTC/.source;
const HOUR_MS = 3_600_000;
const waiting = (services: TestServices) => givenPendingAction(services);
const row = ({ db }: TestServices, { id }: Of) => actionById(db.sql, id);
/** The like of what has one id, so that no other case runs by it. */
const standingFor = (id: string) => ({ envelope: `args.id == "${id}"`, maxUses: 5, forMs: HOUR_MS });
const begun = (services: TestServices) => givenBegunAction(services);

const withStanding = async (services: TestServices, id: string): Promise<Of> => {
  const action = await givenPendingAction(services, { args: { id } });
  await answer(services, action, 'ana', { standing: standingFor(id) });
  return action;
};
const denied = async (services: TestServices): Promise<Of> => {
  const action = await waiting(services);
  await answer(services, action, 'ana', { verdict: 'deny' });
  return action;
};
const executed = async (services: TestServices): Promise<Of> => {
  const action = await begun(services);
  await complete(services, action, true);
  return action;
};
const complete = (services: TestServices, { id }: Of, ok: boolean) =>
  completeAction(services, agentActor(), { id, executionId: 'e-1', ok, ...(ok ? {} : { error: 'no_seat' }) });
const sweepIn = async (services: TestServices, ms: number) => {
  services.clock.advance(ms);
  await sweepActions(services);
};
const stopped = async (services: TestServices) => {
  const stop = { scope: 'agent/desk', reads: false, reason: 'fire in the hall' };
  await disable(services, onCallActor(), stop);
  await enable(services, onCallActor(), { scope: 'agent/desk', reason: 'put out' });
};

/** What happens while people are asked. */
const ASKED: CardVerb[] = [
  {
    name: 'one answer of two',
    given: givenRefund,
    act: (services, action) => answer(services, action, 'ana'),
    says: /waiting for 1 of desk \(ben\)\. Approved by ana/,
  },
  {
    name: 'the answer that opens the next stage',
    async given(services) {
      const action = await givenRefund(services);
      await answer(services, action, 'ana');
      return action;
    },
    act: (services, action) => answer(services, action, 'ben'),
    says: /Stage 2 of 2: waiting for 1 of legal/,
  },
  {
    name: 'a wish of the like',
    given: givenRefund,
    act: (services, action) =>
      answer(services, action, 'ana', {
        standing: { envelope: 'args.amount == 5', maxUses: 2, forMs: HOUR_MS },
      }),
  },
  {
    name: 'an edit',
    given: waiting,
    async act(services, action) {
      const { args_digest: digest, revision } = await row(services, action);
      const input = { id: action.id, args: { id: 'R-2' }, digest, revision };
      await editAction(services, approverActor('ana'), input);
    },
    says: /changed id: "R-1" → "R-2"/,
  },
  {
    name: 'somebody more behind it',
    given: (services) => givenPendingAction(services, { idempotencyKey: 'again', subject: 'ada' }),
    act: (services) => givenAsked(services, { idempotencyKey: 'again', subject: 'ada', behind: ['ben'] }),
    says: /ben/,
  },
  {
    name: 'people who are reached',
    given: waiting,
    act: async (services, action) =>
      recordReach(services, await row(services, action), { state: 'delivered', told: { ana: ['dm'] } }),
    says: /\*Told:\* Ana/i,
  },
  {
    name: 'nobody who is reached',
    given: waiting,
    act: async (services, action) =>
      recordReach(services, await row(services, action), {
        state: 'unreached',
        told: {},
        problem: 'all are away',
        alert: 'action.unreached',
      }),
    says: /could be reached.*: all are away/,
  },
  {
    name: 'another group that may answer too',
    given: waiting,
    act: async (services, action) =>
      passOn(services, await row(services, action), [
        routeTo('leads', 'unanswered', 0, services.clock.now()),
      ]),
    says: /\*Escalated:\* group leads may answer too/,
  },
];

/** How it comes to its end. */
const ENDED: CardVerb[] = [
  {
    name: 'approved',
    given: waiting,
    act: (services, action) => answer(services, action, 'ben', { reason: 'Looks right' }),
    says: /Approved by ben .* “Looks right”/,
  },
  {
    name: 'denied',
    given: waiting,
    act: (services, action) => answer(services, action, 'ana', { verdict: 'deny', reason: 'Wrong guest' }),
    says: /Denied by ana .*Reason: Wrong guest/,
  },
  {
    name: 'a reason given afterwards',
    given: denied,
    act: (services, { id }) => explainDenial(services, approverActor('ana'), { id, reason: 'Wrong room' }),
    says: /Denied by ana .*Reason: Wrong room/,
  },
  {
    name: 'withdrawn',
    given: waiting,
    act: (services, { id }) => withdrawAction(services, agentActor(), { id, reason: 'Guest called' }),
    says: new RegExp(`Withdrawn by the agent ${AT}: Guest called`),
  },
  {
    name: 'withdrawn without a reason',
    given: waiting,
    act: (services, { id }) => withdrawAction(services, agentActor(), { id }),
    says: new RegExp(`Withdrawn by the agent ${AT}$`, 'm'),
  },
  {
    name: 'expired unanswered',
    given: waiting,
    act: (services) => sweepIn(services, 40 * 86_400_000),
    says: new RegExp(`Expired unanswered ${AT}. Nobody denied it`),
  },
  {
    name: 'expired after approval',
    given: (services) => givenApprovedAction(services),
    act: (services) => sweepIn(services, 40 * 86_400_000),
    says: new RegExp(`Approved by ana .*; expired before the agent began ${AT}`),
  },
  {
    name: 'switched off',
    given: waiting,
    act: (services) => stopped(services),
    says: new RegExp(`Switched off by cleo ${AT}: fire in the hall`),
  },
  {
    name: 'switched off after approval',
    given: (services) => givenApprovedAction(services),
    act: (services) => stopped(services),
    says: new RegExp(`Approved by ana .*; switched off by cleo ${AT}: fire in the hall`),
  },
  {
    name: 'void because who approved is behind it',
    async given(services) {
      const action = await givenPendingAction(services, { idempotencyKey: 'void', subject: 'eva' });
      await answer(services, action, 'ana');
      return action;
    },
    act: (services) => givenAsked(services, { idempotencyKey: 'void', subject: 'eva', behind: ['ana'] }),
    says: new RegExp(`Approved by ana .*; void ${AT}: `),
  },
  {
    name: 'erased while it waits',
    given: (services) => givenPendingAction(services, { subject: 'ida' }),
    act: (services) =>
      eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'ida', reason: 'asked' }),
    says: new RegExp(`Withdrawn by the agent ${AT}: erased`),
  },
];

/** What comes of it. */
const BEGUN: CardVerb[] = [
  {
    name: 'begun',
    given: (services) => givenApprovedAction(services),
    act: (services, { id }) => beginAction(services, agentActor(), { id, executionId: 'e-1' }),
    says: new RegExp(`Begun ${AT}`),
  },
  { name: 'executed', given: begun, act: (services, action) => complete(services, action, true) },
  {
    name: 'failed',
    given: begun,
    act: (services, action) => complete(services, action, false),
    says: new RegExp(`Failed ${AT}: no_seat`),
  },
  { name: 'unknown', given: begun, act: (services) => sweepIn(services, 86_400_000) },
  {
    name: 'reported as wrong',
    given: executed,
    act: (services, { id }) => correctAction(services, approverActor('ben'), { id, reason: 'Other guest' }),
    says: /Reported as wrong by ben .*Other guest/,
  },
  {
    name: 'reported as wrongly stopped',
    given: denied,
    act: (services, { id }) => correctAction(services, approverActor('ben'), { id, reason: 'It was right' }),
    says: /wrongly stopped, by ben/,
  },
  {
    name: 'a broken glass reviewed',
    given: givenBrokenGlass,
    act: (services, { id }) =>
      reviewBreakGlass(services, managerActor(), { id, justified: true, note: 'It burned' }),
    says: /\*Review:\* justified, by olga/i,
  },
  {
    name: 'the like approved too',
    given: (services) => givenPendingAction(services, { args: { id: 'S-1' } }),
    act: (services, action) => answer(services, action, 'ana', { standing: standingFor('S-1') }),
    says: /used 0 of 5/,
  },
  {
    name: 'one more of the like',
    given: (services) => withStanding(services, 'S-2'),
    act: (services) => givenAsked(services, { args: { id: 'S-2' } }),
    says: /used 1 of 5/,
  },
  {
    name: 'the like taken back',
    given: (services) => withStanding(services, 'S-3'),
    async act(services, { id }) {
      const all = await listStandingApprovals(services.db.sql, { live: true, limit: 100 });
      const own = all.find(({ action_id }) => action_id === id);
      await revokeStandingApproval(services, approverActor('ben'), { id: own?.id ?? '', reason: 'enough' });
    },
    says: /\*Ended\* .*taken back by ben/,
  },
  {
    name: 'erased afterwards',
    async given(services) {
      const { id } = await givenPendingAction(services, { subject: 'ola' });
      await withdrawAction(services, agentActor(), { id, reason: 'Ola called' });
      return { id };
    },
    act: (services) =>
      eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'ola', reason: 'asked' }),
    says: new RegExp(`Withdrawn by the agent ${AT}$`, 'm'),
  },
];

export const CARD_VERBS: readonly CardVerb[] = [...ASKED, ...ENDED, ...BEGUN];
