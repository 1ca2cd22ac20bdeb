import type { AgentWorld } from '../agents/world.ts';
import type { Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';

/** Rises with every change of what is in force. */
export async function epochOf(db: Sql): Promise<number> {
  return (await db.selectFrom('installation').select('epoch').executeTakeFirstOrThrow()).epoch;
}

/**
 * An agent's world as of the epoch that is current when it is called. Asking notices by itself that a world is old;
 * whoever never asks, as a process that serves Slack alone, has to look.
 * @throws AppError `unknown_agent`
 */
export async function freshWorld(
  { db, worlds }: Pick<Services, 'db' | 'worlds'>,
  agent: string,
): Promise<AgentWorld> {
  const epoch = await epochOf(db.sql);
  const known = await worlds.get(agent);
  if (known && known.epoch < epoch) await worlds.forget(agent, known.epoch);
  const world = await worlds.get(agent);
  if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  return world;
}
