import type { Sql } from '../db/database.ts';
import { reviewersOf } from '../domain/agent.ts';
import { REVIEW_FUNCTIONS, type ReviewFunction } from '../domain/review/weekly.ts';

/** Who reads a page for a function, by the manifests of all agents, or of one. */
export async function readersOf(db: Sql, name: ReviewFunction, agent?: string): Promise<string[]> {
  let query = db.selectFrom('agent').select('manifest');
  if (agent !== undefined) query = query.where('name', '=', agent);
  const all = (await query.execute()).flatMap(({ manifest }) => reviewersOf(manifest, name));
  return [...new Set(all)].sort();
}

/** The functions that a person reads pages for. */
export async function functionsOf(db: Sql, person: string): Promise<ReviewFunction[]> {
  const found: ReviewFunction[] = [];
  for (const name of REVIEW_FUNCTIONS) if ((await readersOf(db, name)).includes(person)) found.push(name);
  return found;
}
