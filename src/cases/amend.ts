import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { CaseAsked } from '../db/tables-cases.ts';
import { caseDigest, type RegressionCase } from '../domain/cases/case.ts';
import { runCase } from '../domain/cases/run.ts';
import { caseWorld } from '../domain/cases/world.ts';
import { canonical } from '../domain/digest.ts';
import { formatProblems, readCaseValue } from '../domain/manifest/manifest.ts';
import type { Release } from '../domain/release.ts';
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

/** As many releases of the agent are tried, the newest first. */
const TRIED_MAX = 50;

/**
 * A proposed case that could be made red on no release that did harm: nobody is held to it, and it counts nowhere. The first
 * person asks for it, another one who says the same does it; one that is red on a release of the agent is to be admitted.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `invalid_input`, `preflight_failed`
 */
export async function setCaseAside(services: Services, actor: Actor, input: AmendInput): Promise<CaseRow> {
  return amend(services, actor, input, { verb: 'set aside' }, async (tx, row, { by, at, reason }) => {
    await requireNowhereRed(tx, row);
    return changed(tx, row, {
      state: 'unreproduced',
      retired_at: at,
      retired_by: by,
      retire_reason: reason,
      asked: null,
    });
  });
}

async function requireNowhereRed(tx: Sql, { agent, name, body, digest }: CaseRow): Promise<void> {
  if (digest === null) return;
  const manifest = await manifestOf(tx, agent);
  const releases = await tx
    .selectFrom('release')
    .select(['version', 'manifest'])
    .where('agent', '=', agent)
    .orderBy('created_at', 'desc')
    .limit(TRIED_MAX)
    .execute();
  const isRed = (release: Release) =>
    runCase(body as RegressionCase, caseWorld(manifest, release)).verdict === 'red';
  const red = releases.find((release) => isRed(release.manifest));
  if (red)
    throw new AppError(
      'preflight_failed',
      `Cannot set case "${name}" aside: on release ${red.version} it is red. Admit it with that one`,
      { release: red.version },
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

const REASON_FOR = {
  retire: 'retire a case',
  expect: 'change what a case expects',
  'set aside': 'set a case aside',
} as const;
const DONE_AS = { retire: 'retired', expect: 'expected', 'set aside': 'unreproduced' } as const;
const OPEN_TO: Record<CaseAsked['verb'], readonly CaseRow['state'][]> = {
  retire: ['proposed', 'admitted'],
  expect: ['admitted'],
  'set aside': ['proposed'],
};

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
  requireReason(reason, REASON_FOR[wanted.verb]);
  const [at, by] = [services.clock.now(), whoIs(actor)];
  return services.db.sql.transaction().execute(async (tx) => {
    const row = await caseByName(tx, agent, name, true);
    if (!OPEN_TO[wanted.verb].includes(row.state))
      throw new AppError('wrong_state', `Cannot ${wanted.verb} case "${name}": it is ${row.state}`, {
        state: row.state,
      });
    if (wanted.expect) caseWith(row, wanted.expect);
    const isAlone = row.state === 'proposed' && wanted.verb === 'retire';
    if (!isAlone && !(isSame(row.asked, wanted) && row.asked?.by !== by)) {
      const asked: CaseAsked = { ...wanted, by, at: at.toISOString(), reason };
      const waiting = await changed(tx, row, { asked: JSON.stringify(asked) });
      await recordChange(tx, waiting, { at, by, verb: 'asked', reason, data: { wants: wanted.verb } });
      return waiting;
    }
    const after = await done(tx, row, { by, at, reason });
    const verb = DONE_AS[wanted.verb];
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
