import type { Sql } from '../db/database.ts';
import type { IncidentActionTable, Severity } from '../db/tables-learning.ts';
import { type ActionFacts, establishedBy, findingsOf } from '../domain/incident/findings.ts';
import { fingerprintOf } from '../domain/incident/fingerprint.ts';
import type { ActionRow } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { lockFingerprint, newIncidentId, openIncident } from './open.ts';

export type WrongBecause = Exclude<IncidentActionTable['because'], 'named'>;

export interface WrongWrite {
  action: ActionRow;
  because: WrongBecause;
  facts: ActionFacts;
  at: Date;
  by: string;
  dayMs: number;
}

const OPENED: Readonly<Record<WrongBecause, 'correction' | 'unknown_harm' | 'expiry'>> = {
  wrong_write: 'correction',
  unknown_harm: 'unknown_harm',
  wrongly_stopped: 'expiry',
};

/**
 * Puts a wrong write, or a right one that was stopped, into exactly one incident, in the transaction that records it and as
 * its last step: the open incident of the rollback of its rollout and segment; else an open one of the same fingerprint,
 * counted and linked there; else a new one. The evidence that a correction is counts by itself: the incident ends nothing.
 * @returns the incident it is in
 */
export async function fileWrongWrite(tx: Sql, wrong: WrongWrite): Promise<string> {
  const { action, because, facts, at, by } = wrong;
  const known = await nowSaid(tx, action.id, because);
  if (known !== undefined) return known;
  const findings = findingsOf(facts);
  const { mechanism = null } = establishedBy(findings);
  const alike = { agent: action.agent, tool: action.tool, mechanism, segment: action.segment };
  const fingerprint = fingerprintOf(alike) ?? '';
  await lockFingerprint(tx, fingerprint);
  const joined = (await takenBack(tx, action, because)) ?? (await openLike(tx, fingerprint, because));
  const id = joined ?? newIncidentId();
  if (joined === undefined)
    await openIncident(tx, {
      id,
      agent: action.agent,
      because: OPENED[because],
      rollout: action.rollout_id ?? undefined,
      segment: action.segment ?? undefined,
      tool: action.tool,
      title: titleOf(action, because),
      at,
      by,
      dayMs: wrong.dayMs,
      severity: await severityOf(tx, action),
      result: because === 'wrongly_stopped' ? 'right_write_stopped' : 'wrong_write',
      evidence: { first: action.id, release: action.release, arm: action.arm },
      findings,
      ends: [],
      restartsEvidence: false,
    });
  await addAction(tx, { incident: id, action: action.id, because, at, by, agent: action.agent });
  return id;
}

/** The incident that names the action already, as one that a breach counted: a person says by now what it was. */
async function nowSaid(tx: Sql, action: string, because: WrongBecause): Promise<string | undefined> {
  const row = await tx
    .updateTable('incident_action')
    .set({ because })
    .where('action_id', '=', action)
    .returning('incident_id')
    .executeTakeFirst();
  return row?.incident_id;
}

/** Of what was written under a candidate that was taken back since: the incident of that. */
async function takenBack(tx: Sql, action: ActionRow, because: WrongBecause): Promise<string | undefined> {
  const { rollout_id: rollout, segment, arm } = action;
  if (because === 'wrongly_stopped' || rollout === null || segment === null || arm !== 'candidate')
    return undefined;
  return firstOpen(tx, ['breach', 'rollback'], (query) =>
    query.where('rollout_id', '=', rollout).where('segment', '=', segment),
  );
}

const openLike = (tx: Sql, fingerprint: string, because: WrongBecause): Promise<string | undefined> =>
  firstOpen(
    tx,
    because === 'wrongly_stopped' ? ['expiry'] : ['correction', 'unknown_harm', 'late_stop'],
    (query) => query.where('fingerprint', '=', fingerprint),
  );

type OpenQuery = ReturnType<typeof openOf>;

const openOf = (tx: Sql) =>
  tx
    .selectFrom('incident')
    .select('id')
    .where('state', '<>', 'closed')
    .where('merged_into', 'is', null)
    .where('historical', '=', false)
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1);

async function firstOpen(
  tx: Sql,
  because: readonly string[],
  narrow: (query: OpenQuery) => OpenQuery,
): Promise<string | undefined> {
  const row = await narrow(openOf(tx)).where('because', 'in', because).executeTakeFirst();
  return row?.id;
}

export interface AddedAction {
  incident: string;
  action: string;
  agent: string;
  because: IncidentActionTable['because'];
  at: Date;
  by: string;
}

/** Links an action to its one incident and counts it there. Returns false where it is in one already. */
export async function addAction(tx: Sql, added: AddedAction): Promise<boolean> {
  const { incident, action, agent, because, at, by } = added;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('incident_action')
    .values({ action_id: action, incident_id: incident, because, at, by })
    .onConflict((conflict) => conflict.column('action_id').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return false;
  await tx
    .updateTable('incident')
    .set((set) => ({ writes: set('writes', '+', 1) }))
    .where('id', '=', incident)
    .execute();
  await appendEntry(tx, {
    kind: 'incident.joined',
    agent,
    ref: incident,
    at,
    actor: by,
    data: { action, because },
  });
  return true;
}

const titleOf = ({ tool, segment, agent }: ActionRow, because: WrongBecause): string =>
  `${because === 'wrongly_stopped' ? 'Right write stopped' : 'Wrong write'}: ${tool} in ${segment ?? 'no segment'} of ${agent}`;

async function severityOf(tx: Sql, action: ActionRow): Promise<Severity> {
  const { tools } = await manifestOf(tx, action.agent);
  const tool = Object.hasOwn(tools, action.tool) ? tools[action.tool] : undefined;
  return action.risk === 'high' || tool?.reversibility === 'irreversible' ? 'high' : 'normal';
}
