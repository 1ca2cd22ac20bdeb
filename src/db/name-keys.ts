import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { namedKeys, nameKey, personKeys } from '../domain/naming.ts';
import type { Sql } from './database.ts';

/**
 * Brings what names come down to up to this version, in agents and in whatever an approval may still carry: another
 * version may have read names otherwise, and the first ones did not keep it.
 */
export async function refoldNames(db: Sql): Promise<void> {
  await refoldAgents(db);
  await refoldActions(db);
}

async function refoldAgents(db: Sql): Promise<void> {
  const agents = await db
    .selectFrom('agent')
    .select(['name', 'revision', 'manifest', 'person_keys'])
    .execute();
  for (const { name, revision, manifest, person_keys } of agents) {
    const keys = personKeys(manifest);
    if (isDeepStrictEqual(keys, person_keys)) continue;
    await db
      .updateTable('agent')
      .set({ person_keys: JSON.stringify(keys) })
      .where('name', '=', name)
      .where('revision', '=', revision)
      .execute();
  }
}

async function refoldActions(db: Sql): Promise<void> {
  const asked = await db
    .selectFrom('action')
    .select(['id', 'asked_by', 'asked_by_key', 'behind', 'behind_keys'])
    .where('approval', 'is not', null)
    .where('id', 'in', (from) => from.selectFrom('open_action').select('id'))
    .union((from) =>
      // Apart: an OR of the two reads every action there is.
      from
        .selectFrom('action')
        .select(['id', 'asked_by', 'asked_by_key', 'behind', 'behind_keys'])
        .where('approval', 'is not', null)
        .where('id', 'in', (standing) =>
          standing.selectFrom('standing_approval').select('action_id').where('ended_at', 'is', null),
        ),
    )
    .execute();
  for (const { id, asked_by, asked_by_key, behind, behind_keys } of asked) {
    const keys = namedKeys(behind);
    if (nameKey(asked_by) === asked_by_key && isDeepStrictEqual(keys, behind_keys)) continue;
    await db
      .updateTable('action')
      .set({ asked_by_key: nameKey(asked_by), behind_keys: JSON.stringify(keys) })
      .where('id', '=', id)
      .where(sql<boolean>`behind = ${JSON.stringify(behind)}::jsonb`)
      .execute();
  }
}
