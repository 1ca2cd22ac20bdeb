import type { Actor } from '../actor.ts';
import { durationMs, isDurationBetween } from '../domain/duration.ts';
import { type SystemView, systemView } from '../domain/system/view.ts';
import { AppError } from '../errors.ts';
import { asSeenBy } from '../incidents/blind.ts';
import { incidentById } from '../incidents/list.ts';
import type { Services } from '../services.ts';
import { readFlows, type Window } from './flows.ts';
import { incidentFact, readAgents, readAnswers, readOutside, readStops } from './standing.ts';
import { readVerdicts } from './verdicts.ts';

export const WINDOW_DEFAULT = '1h';
const LEAST = '1m';
const MOST = '31d';

export interface SystemInput {
  agent?: string | undefined;
  /** As it stood then; default: now. */
  at?: Date | undefined;
  /** As it stood when this incident was opened, with its path lit. */
  incident?: string | undefined;
  /** How far back questions are looked at, such as `1h`. */
  window?: string | undefined;
}

/**
 * The system at a moment, drawn from records: what was asked in the window before it, and how far that had come.
 * @throws AppError `invalid_input`, `unknown_agent`, `not_found`
 */
export async function readSystem(services: Services, actor: Actor, input: SystemInput): Promise<SystemView> {
  const db = services.db.sql;
  const now = services.clock.now();
  const { agent } = input;
  const windowMs = windowOf(input, now);
  const whole = input.incident === undefined ? undefined : await incidentById(db, actor, input.incident);
  const [incident] = whole ? await asSeenBy(services, actor, [whole]) : [];
  const asOf = incident?.opened_at ?? input.at ?? now;
  const span: Window = { agent: incident?.agent ?? agent, asOf, from: new Date(asOf.getTime() - windowMs) };
  const { facts: agents, manifests } = await readAgents(db, span);
  if (agent !== undefined && agents.length === 0)
    throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  const { flows, from, shortened } = await readFlows(db, span);
  return systemView({
    asOf: asOf.toISOString(),
    from: from.toISOString(),
    shortened,
    agents,
    flows,
    answers: await readAnswers(db, { ...span, from }),
    verdicts: await readVerdicts(db, span, { manifests, past: asOf < now }),
    ...(await readStops(db, span)),
    outside: await readOutside(db, span),
    ...(incident && { incident: await incidentFact(db, incident) }),
  });
}

/** Milliseconds. @throws AppError `invalid_input` */
function windowOf({ at, incident, window = WINDOW_DEFAULT }: SystemInput, now: Date): number {
  if (!isDurationBetween(window, LEAST, MOST))
    throw new AppError('invalid_input', `window is from ${LEAST} to ${MOST}, such as 1h, not "${window}"`);
  if (at !== undefined && incident !== undefined)
    throw new AppError(
      'invalid_input',
      'Say at or incident, not both: an incident says the moment by itself',
    );
  if (at !== undefined && at > now)
    throw new AppError('invalid_input', `at (${at.toISOString()}) is in the future`);
  return durationMs(window);
}
