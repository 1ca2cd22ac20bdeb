import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { AppError } from '../errors.ts';

/** The manifest of an agent as it is now. @throws AppError `unknown_agent` */
export async function manifestOf(db: Sql, agent: string): Promise<Agent> {
  const row = await db.selectFrom('agent').select('manifest').where('name', '=', agent).executeTakeFirst();
  if (!row) throw new AppError('unknown_agent', `Agent "${agent.slice(0, 64)}" is not known`);
  return row.manifest;
}
