import { type Actor, requireRole } from '../actor.ts';
import { CASES_MAX, caseDigest, type RegressionCase } from '../domain/cases/case.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { type CaseRow, caseByName, recordChange, whoIs } from './store.ts';

/**
 * Keeps a case as a file says it. Nothing is held to it before it is admitted; one that is admitted is not changed by a file.
 * @throws AppError `forbidden`, `unknown_agent`, `conflict`, `invalid_input`
 */
export async function proposeCase(services: Services, actor: Actor, one: RegressionCase): Promise<CaseRow> {
  const { agent, case: name } = one;
  requireRole(actor, ['release-manager'], agent);
  const [now, by, digest] = [services.clock.now(), whoIs(actor), caseDigest(one)];
  return services.db.sql.transaction().execute(async (tx) => {
    await manifestOf(tx, agent);
    // The row of the agent puts two that propose at once one after the other.
    await tx.selectFrom('agent').select('name').where('name', '=', agent).forUpdate().execute();
    const known = await tx
      .selectFrom('regression_case')
      .select(['state', 'digest', 'revision'])
      .where('agent', '=', agent)
      .where('name', '=', name)
      .executeTakeFirst();
    if (known && known.state !== 'proposed') {
      if (known.digest === digest) return caseByName(tx, agent, name);
      throw new AppError('conflict', `Case "${name}" is ${known.state}: a file does not change it`, {
        hint: 'Change what it expects with a second person, retire it, or give this one a name of its own',
      });
    }
    if (!known) await requireRoom(tx, agent);
    const incident = await incidentIn(tx, one);
    const values = {
      kind: one.kind,
      digest,
      body: JSON.stringify(one),
      owner: one.owner ?? null,
      review_by: one.reviewBy === undefined ? null : new Date(`${one.reviewBy}T00:00:00Z`),
      expected_by: by,
      from_incident: incident,
      // What somebody asked for was asked of what it was before.
      asked: null,
    };
    const row = await tx
      .insertInto('regression_case')
      .values({
        agent,
        name,
        ...values,
        state: 'proposed',
        because: incident === null ? 'file' : 'incident',
        proposed_at: now,
        proposed_by: by,
      })
      .onConflict((conflict) =>
        conflict.columns(['agent', 'name']).doUpdateSet({ ...values, revision: (known?.revision ?? 0) + 1 }),
      )
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordChange(tx, row, { at: now, by, verb: 'proposed' });
    return row;
  });
}

type Tx = Services['db']['sql'];

async function requireRoom(tx: Tx, agent: string): Promise<void> {
  const { count } = await tx
    .selectFrom(
      tx.selectFrom('regression_case').select('name').where('agent', '=', agent).limit(CASES_MAX).as('some'),
    )
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= CASES_MAX)
    throw new AppError('invalid_input', `Agent "${agent}" has ${CASES_MAX} cases, and no more are kept`, {
      hint: 'Retire those that stand for the same',
    });
}

/** The first incident of the agent that it comes from. */
async function incidentIn(tx: Tx, { agent, from }: RegressionCase): Promise<string | null> {
  if (from.length === 0) return null;
  const row = await tx
    .selectFrom('incident')
    .select('id')
    .where('agent', '=', agent)
    .where('id', 'in', from)
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}
