import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { CaseBecause } from '../db/tables-cases.ts';
import { CASES_MAX } from '../domain/cases/case.ts';
import { digestOf } from '../domain/digest.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { recordChange } from './store.ts';

/** So many that people's words propose may wait for an expectation; further kinds of happening propose nothing meanwhile. */
export const OPEN_PROPOSALS_MAX = 100;

/** A person's word on an action: denied with a reason, changed before it was approved, or called wrong afterwards. */
export interface PersonsWord {
  action: ActionRow;
  because: Extract<CaseBecause, 'denied' | 'edited' | 'corrected'>;
  person: string;
}

const SAID = {
  denied: 'A person denied it, with a reason',
  edited: 'A person changed it before it was approved',
  corrected: 'A person reported it afterwards',
} as const;

/** What is proposed once: the same word on the same tool, in the same segment and by the same grant. */
export const proposalName = ({ action, because }: Pick<PersonsWord, 'action' | 'because'>): string =>
  `${because}-${digestOf([action.tool, action.segment, action.grant_name]).slice(0, 10)}`;

/**
 * Proposes a case of what a person said of an action. Once for each fingerprint: what is like it is counted there, whatever
 * became of it, and one that was retired is not proposed again. It says nothing of the arguments and expects nothing: a person
 * drafts it (`draftCase` by its name). To be called after the person's word is committed: it holds up no decision, and
 * where it cannot be written that is logged and the next one like it proposes it. The cap may be passed by those that come
 * at the same instant.
 */
export async function proposeFromWord(
  { db, clock, log }: Pick<Services, 'db' | 'clock' | 'log'>,
  word: PersonsWord,
): Promise<void> {
  if (word.action.kind !== 'write') return;
  const at = clock.now();
  try {
    await db.sql.transaction().execute((tx) => propose(tx, word, at));
  } catch (error) {
    log.error({ err: error, action: word.action.id }, 'no case is proposed of what a person said of it');
  }
}

async function propose(tx: Sql, word: PersonsWord, at: Date): Promise<void> {
  const { action, because, person } = word;
  const name = proposalName(word);
  if (await counted(tx, action, name)) return;
  if (!(await hasRoom(tx, action.agent))) return;
  const incident = await incidentOf(tx, action.id);
  const row = await tx
    .insertInto('regression_case')
    .values({
      agent: action.agent,
      name,
      kind: 'ask',
      body: JSON.stringify({
        case: name,
        agent: action.agent,
        kind: 'ask',
        says: `${SAID[because]}: ${action.tool}`,
        from: [action.id],
        given: { tool: action.tool },
        twins: [],
      }),
      state: 'proposed',
      because,
      from_action: action.id,
      from_incident: incident,
      proposed_at: at,
      proposed_by: person,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (!row) return void (await counted(tx, action, name));
  const data = { because, action: action.id, word: person };
  await recordChange(tx, row, { at, by: 'records', verb: 'proposed', data });
}

/** One more of what is proposed already; the same action counts once. False where there is none of that name. */
async function counted(tx: Sql, { agent, id }: ActionRow, name: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('regression_case')
    .set({
      covers: sql<number>`covers + CASE WHEN from_action IS DISTINCT FROM ${id}::uuid THEN 1 ELSE 0 END`,
      from_action: id,
    })
    .where('agent', '=', agent)
    .where('name', '=', name)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function hasRoom(tx: Sql, agent: string): Promise<boolean> {
  const some = (most: number, open: boolean) => {
    const query = tx.selectFrom('regression_case').select('name').where('agent', '=', agent).limit(most);
    return open ? query.where('state', '=', 'proposed').where('digest', 'is', null) : query;
  };
  const count = async (most: number, open: boolean): Promise<number> => {
    const { n } = await tx
      .selectFrom(some(most, open).as('some'))
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow();
    return Number(n);
  };
  return (
    (await count(OPEN_PROPOSALS_MAX, true)) < OPEN_PROPOSALS_MAX &&
    (await count(CASES_MAX, false)) < CASES_MAX
  );
}

/** The one that it is in, where somebody called it wrong. */
async function incidentOf(tx: Sql, action: string): Promise<string | null> {
  const row = await tx
    .selectFrom('incident_action')
    .select('incident_id')
    .where('action_id', '=', action)
    .executeTakeFirst();
  return row?.incident_id ?? null;
}
