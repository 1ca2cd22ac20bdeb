import { readEligibility } from '../approvals/eligibility.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { Route, Supporting } from '../domain/approval/approval.ts';
import {
  askedGroups,
  candidatesOf,
  nextInChain,
  outOfHoursGroups,
  type Presence,
  type Reachability,
  reachabilityOf,
  routeTo,
} from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';
import type { WaitingServices } from './change-waiting.ts';
import { passOn } from './escalate.ts';

/** Whether a person of an agent can be told now. */
export type PresenceOf = (agent: Agent, person: string) => Promise<Presence>;

/** Who can be told of an action now. */
export interface Reachable extends Reachability {
  /** The row as it is now, with the groups it was passed on to. */
  action: ActionRow;
  agent: Agent;
  /** Asked groups of which nobody counts, because their members could not be read for too long. */
  stale: readonly string[];
}

/**
 * Who can be told of an action that waits, at this moment. While they cannot complete the open stage, the groups for
 * other hours are asked as well; while there is nobody to tell, or all together could not complete it, the escalation
 * chain is, at once and in its order. The end of somebody's hours alone does not go down the chain once people were told.
 */
export async function reachStage(
  services: WaitingServices,
  action: ActionRow,
  wasTold: boolean,
  presenceOf: PresenceOf,
): Promise<Reachable> {
  const now = services.clock.now();
  const given = await approvalsOf(services.db.sql, action);
  const look = (routes: readonly Route[]) =>
    lookAround(services.db.sql, { ...action, routed: [...action.routed, ...routes] }, given, now, presenceOf);
  const routes: Route[] = [];
  let seen = await look(routes);
  for (;;) {
    const more = nextRoutes(seen, wasTold, now);
    if (more.length === 0) break;
    routes.push(...more);
    seen = await look(routes);
  }
  const passed = await passOn(services, action, routes);
  const goesOn =
    passed.action.state === 'pending' &&
    passed.action.round === action.round &&
    passed.action.stage === action.stage;
  // Another worker wrote meanwhile: what is true now may be something else.
  if (!passed.changed && goesOn) return reachStage(services, passed.action, wasTold, presenceOf);
  return { ...seen, action: passed.action };
}

/** Whom to ask as well, while those who are asked are not enough. */
function nextRoutes(seen: Reachable, wasTold: boolean, now: Date): Route[] {
  if (seen.now === 'enough') return [];
  const { stage } = seen.action;
  const others = outOfHoursGroups(seen.agent, seen.action, now.getTime());
  if (others.length > 0) return others.map((group) => routeTo(group, 'out_of_hours', stage, now));
  const isShort = !seen.possible || (seen.now === 'nobody' && !wasTold);
  const next = isShort ? nextInChain(seen.action) : undefined;
  return next === undefined ? [] : [routeTo(next, 'unreached', stage, now)];
}

async function lookAround(
  db: Sql,
  action: ActionRow,
  given: readonly Supporting[],
  at: Date,
  presenceOf: PresenceOf,
): Promise<Reachable> {
  const eligibility = await readEligibility(db, action, at);
  const answered = given.map(({ person }) => person);
  const candidates = await Promise.all(
    candidatesOf(eligibility, action, answered, at.getTime()).map(async (one) => ({
      ...one,
      presence: await presenceOf(eligibility.agent, one.person),
    })),
  );
  const asked = askedGroups(action);
  const stale = eligibility.stale.filter((group) => asked.includes(group));
  return { ...reachabilityOf(action, candidates, given), action, agent: eligibility.agent, stale };
}

const approvalsOf = (db: Sql, { id, round, stage }: ActionRow): Promise<Supporting[]> =>
  db
    .selectFrom('decision')
    .select(['person', 'options'])
    .where('action_id', '=', id)
    .where('round', '=', round)
    .where('stage', '=', stage)
    .where('verdict', '=', 'approve')
    .orderBy('at')
    .execute();
