import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { CaseAsked } from '../db/tables-cases.ts';
import { caseDigest, type RegressionCase } from '../domain/cases/case.ts';
import { runCase } from '../domain/cases/run.ts';
import { caseWorld } from '../domain/cases/world.ts';
import { canonical } from '../domain/digest.ts';
import { formatProblems, readCaseValue } from '../domain/manifest/manifest.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { type CaseRow, caseByName, recordChange, whoIs } from './store.ts';

export interface AmendInput {
  agent: string;
  name: string;
  reason: string;
}

/**
 * A case that nobody is held to any more. The first person asks for it, another one who says the same does it; what is only
 * proposed goes at once.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `invalid_input`
 */
export async function retireCase(services: Services, actor: Actor, input: AmendInput): Promise<CaseRow> {
  return amend(services, actor, input, { verb: 'retire' }, async (tx, row, { by, at, reason }) =>
    changed(tx, row, {
      state: 'retired',
      retired_at: at,
      retired_by: by,
      retire_reason: reason,
      asked: null,
    }),
  );
}

/**
 * Another expectation of an admitted case: the first person writes it, another one who writes the same agrees. It must still be
 * red where it was and green on the fix.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `invalid_input`, `preflight_failed`
 */
export async function expectOtherwise(
  services: Services,
  actor: Actor,
  { expect, ...input }: AmendInput & { expect: RegressionCase['expect'] },
): Promise<CaseRow> {
  return amend(services, actor, input, { verb: 'expect', expect }, async (tx, row) => {
    const one = caseWith(row, expect);
    await requireProof(tx, row, one);
    return changed(tx, row, {
      body: JSON.stringify(one),
      digest: caseDigest(one),
      expected_by: row.asked?.by ?? whoIs(actor),
      asked: null,
    });
  });
}

interface Amended {
  by: string;
  at: Date;
  reason: string;
}

async function amend(
  services: Services,
  actor: Actor,
  { agent, name, reason }: AmendInput,
  wanted: Pick<CaseAsked, 'verb' | 'expect'>,
  done: (tx: Sql, row: CaseRow, amended: Amended) => Promise<CaseRow>,
): Promise<CaseRow> {
  requireRole(actor, ['release-manager'], agent);
  requireReason(reason, wanted.verb === 'retire' ? 'retire a case' : 'change what a case expects');
  const [at, by] = [services.clock.now(), whoIs(actor)];
  return services.db.sql.transaction().execute(async (tx) => {
    const row = await caseByName(tx, agent, name, true);
    const isOpen = row.state === 'admitted' || (row.state === 'proposed' && wanted.verb === 'retire');
    if (!isOpen)
      throw new AppError('wrong_state', `Cannot ${wanted.verb} case "${name}": it is ${row.state}`, {
        state: row.state,
      });
    if (wanted.expect) caseWith(row, wanted.expect);
    if (row.state === 'admitted' && !(isSame(row.asked, wanted) && row.asked?.by !== by)) {
      const asked: CaseAsked = { ...wanted, by, at: at.toISOString(), reason };
      const waiting = await changed(tx, row, { asked: JSON.stringify(asked) });
      await recordChange(tx, waiting, { at, by, verb: 'asked', reason, data: { wants: wanted.verb } });
      return waiting;
    }
    const after = await done(tx, row, { by, at, reason });
    const verb = wanted.verb === 'retire' ? 'retired' : 'expected';
    const data = row.asked ? { askedBy: row.asked.by, askedBecause: row.asked.reason } : {};
    await recordChange(tx, after, { at, by, verb, reason, data });
    return after;
  });
}

const isSame = (asked: CaseAsked | null, { verb, expect }: Pick<CaseAsked, 'verb' | 'expect'>): boolean =>
  asked?.verb === verb && canonical(asked.expect ?? {}) === canonical(expect ?? {});

/** @throws AppError `invalid_input` with what is wrong of it */
function caseWith({ body }: CaseRow, expect: RegressionCase['expect']): RegressionCase {
  const read = readCaseValue({ ...body, expect });
  if (read.ok) return read.value;
  throw new AppError('invalid_input', formatProblems(read.problems), { problems: read.problems });
}

async function requireProof(tx: Sql, row: CaseRow, one: RegressionCase): Promise<void> {
  const manifest = await manifestOf(tx, row.agent);
  for (const [digest, wanted] of [[row.red_digest, 'red'] as const, [row.green_digest, 'green'] as const]) {
    if (digest === null) continue;
    const release = await tx
      .selectFrom('release')
      .select(['manifest', 'version'])
      .where('agent', '=', row.agent)
      .where('digest', '=', digest)
      .executeTakeFirstOrThrow();
    const { verdict, why } = runCase(one, caseWorld(manifest, release.manifest));
    if (verdict !== wanted)
      throw new AppError(
        'preflight_failed',
        `Cannot change case "${row.name}": on release ${release.version} it would be ${verdict}, not ${wanted}: ${why}`,
      );
  }
}

type Changed = Partial<{
  state: CaseRow['state'];
  retired_at: Date;
  retired_by: string;
  retire_reason: string;
  body: string;
  digest: string;
  expected_by: string;
  asked: string | null;
}>;

const changed = (tx: Sql, row: CaseRow, values: Changed): Promise<CaseRow> =>
  tx
    .updateTable('regression_case')
    .set({ ...values, revision: row.revision + 1 })
    .where('agent', '=', row.agent)
    .where('name', '=', row.name)
    .returningAll()
    .executeTakeFirstOrThrow();
