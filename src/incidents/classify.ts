import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { type Agreement, agreementOf } from '../domain/incident/agreement.ts';
import { fingerprintOf, isClassifiedTwice } from '../domain/incident/fingerprint.ts';
import {
  MECHANISM_LIST_VERSION,
  MECHANISM_NAMES,
  type MechanismName,
  type Origin,
  type Result,
} from '../domain/incident/mechanisms.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { type IncidentRow, incidentById, lockedIncident, requireRevision, requireUnmerged } from './find.ts';
import { mergeLike } from './merge.ts';
import { closedLike, lockFingerprint } from './open.ts';

export interface Classification {
  id: string;
  /** Of the row that the person saw. */
  revision: number;
  mechanism: MechanismName;
  certainty: 'known' | 'suspected';
  origin?: Origin | undefined;
  result?: Result | undefined;
  contributing?: readonly MechanismName[] | undefined;
  /** Numbers of log entries that justify it. */
  evidence?: readonly number[] | undefined;
}

/**
 * An owner says by which mechanism it happened, with entries of the log that justify it. One in five is classified by a second
 * person too: that label counts for the agreement alone. An open incident of the same fingerprint takes it in; where the
 * last one is closed, it is that one's recurrence.
 * @throws AppError `forbidden`, `conflict` when it changed since it was seen, `wrong_state` when it is closed or was labelled twice
 */
export async function classifyIncident(
  services: Services,
  actor: Actor,
  input: Classification,
): Promise<IncidentRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await incidentById(services.db.sql, actor, input.id);
  const { person } = await requireOwner(services, actor, seen, 'classify an incident');
  requireMechanism(input);
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const row = await lockedIncident(tx, input.id);
    requireUnmerged(row, 'classify');
    requireRevision(row, input.revision, 'classify');
    const earlier = await labelsOf(tx, row.id);
    const n = labelNumber(row, earlier, person);
    await keepLabel(tx, input, { n, person, at });
    if (n === 1) await apply(tx, row, input, { person, at });
    else
      await tx
        .updateTable('incident')
        .set({ revision: row.revision + 1 })
        .where('id', '=', row.id)
        .execute();
    await appendEntry(tx, {
      kind: n === 1 ? 'incident.classified' : 'incident.classified_twice',
      agent: row.agent,
      ref: row.id,
      at,
      actor: person,
      data: {
        ...toldOf(row, input, n),
        listVersion: MECHANISM_LIST_VERSION,
      },
    });
  });
  services.wake();
  return incidentById(services.db.sql, actor, input.id);
}

/** Whoever is asked for the second label may read the log: it has the first one with the second, or when it is closed without. */
const toldOf = (row: IncidentRow, input: Classification, n: 1 | 2): Record<string, unknown> =>
  n === 1 && isClassifiedTwice(row.id)
    ? {}
    : {
        mechanism: input.mechanism,
        certainty: input.certainty,
        before: row.mechanism ?? undefined,
        evidence: [...(input.evidence ?? [])],
      };

function requireMechanism({ mechanism, contributing = [] }: Classification): void {
  const strange = [mechanism, ...contributing].find((name) => !MECHANISM_NAMES.includes(name));
  if (strange !== undefined)
    throw new AppError(
      'invalid_input',
      `"${strange}" is no mechanism: write one of ${MECHANISM_NAMES.join(', ')}`,
    );
}

interface Label {
  n: 1 | 2;
  person: string;
}

const labelsOf = (tx: Sql, id: string): Promise<Label[]> =>
  tx
    .selectFrom('incident_label')
    .select(['n', 'person'])
    .where('incident_id', '=', id)
    .orderBy('n')
    .execute();

/**
 * The first, which replaces one before it; or the second of one that is classified twice, by somebody else. Both stand once
 * they are given.
 */
function labelNumber(row: IncidentRow, labels: readonly Label[], person: string): 1 | 2 {
  if (row.state === 'closed')
    throw new AppError('wrong_state', `Cannot classify ${row.id}: it is closed`, { state: row.state });
  const [first] = labels;
  if (first === undefined || !isClassifiedTwice(row.id)) return 1;
  if (labels.length > 1)
    throw new AppError('wrong_state', `Cannot classify ${row.id}: two people did, and both labels stand`, {
      state: row.state,
    });
  return first.person === person ? 1 : 2;
}

async function keepLabel(
  tx: Sql,
  input: Classification,
  { n, person, at }: { n: 1 | 2; person: string; at: Date },
): Promise<void> {
  await tx
    .insertInto('incident_label')
    .values({
      incident_id: input.id,
      n,
      mechanism: input.mechanism,
      certainty: input.certainty,
      origin: input.origin ?? null,
      result: input.result ?? null,
      contributing: JSON.stringify(input.contributing ?? []),
      evidence: JSON.stringify(input.evidence ?? []),
      list_version: MECHANISM_LIST_VERSION,
      person,
      at,
    })
    .onConflict((conflict) =>
      conflict.columns(['incident_id', 'n']).doUpdateSet((set) => ({
        mechanism: set.ref('excluded.mechanism'),
        certainty: set.ref('excluded.certainty'),
        origin: set.ref('excluded.origin'),
        result: set.ref('excluded.result'),
        contributing: set.ref('excluded.contributing'),
        evidence: set.ref('excluded.evidence'),
        list_version: set.ref('excluded.list_version'),
        person: set.ref('excluded.person'),
        at: set.ref('excluded.at'),
      })),
    )
    .execute();
}

async function apply(
  tx: Sql,
  row: IncidentRow,
  input: Classification,
  { person, at }: { person: string; at: Date },
): Promise<void> {
  const { agent, tool, segment } = row;
  const fingerprint = fingerprintOf({ agent, tool, mechanism: input.mechanism, segment });
  if (fingerprint !== null) await lockFingerprint(tx, fingerprint);
  const recurrence = row.recurrence_of ?? (await closedLike(tx, fingerprint));
  await tx
    .updateTable('incident')
    .set({
      state: row.state === 'open' ? 'classified' : row.state,
      mechanism: input.mechanism,
      certainty: input.certainty,
      origin: input.origin ?? row.origin,
      result: input.result ?? row.result,
      contributing: JSON.stringify(input.contributing ?? row.contributing),
      classified_at: at,
      classified_by: person,
      classify_by: null,
      remind_at: null,
      fingerprint,
      recurrence_of: recurrence ?? null,
      revision: row.revision + 1,
    })
    .where('id', '=', row.id)
    .execute();
  if (fingerprint !== null) await mergeLike(tx, { ...row, fingerprint }, at);
}

const PAIRS_MAX = 10_000;

/** How far those agree who labelled the same incidents, over the last 10,000 that were labelled twice. */
export async function labelAgreement(db: Sql, agent?: string): Promise<Agreement> {
  let query = db
    .selectFrom('incident_label as second')
    .innerJoin('incident_label as first', (join) =>
      join.onRef('first.incident_id', '=', 'second.incident_id').on('first.n', '=', 1),
    )
    .innerJoin('incident', 'incident.id', 'second.incident_id')
    .select(['first.mechanism as one', 'second.mechanism as other'])
    .where('second.n', '=', 2)
    .orderBy('second.at', 'desc')
    .limit(PAIRS_MAX);
  if (agent !== undefined) query = query.where('incident.agent', '=', agent);
  const pairs = await query.execute();
  return agreementOf(pairs.map(({ one, other }) => [one, other] as const));
}
