import type { Sql } from '../db/database.ts';
import { type Agent, isWrite, toolOf } from '../domain/agent.ts';
import { grantName } from '../domain/decision/compile.ts';
import { durationMs } from '../domain/duration.ts';
import { type EarnedVerdict, judgeEarned } from '../domain/evidence/earned.ts';
import { approvalOf, type Earn, type Release, toolsOf } from '../domain/release.ts';
import { raiseAlert } from '../records/alert.ts';
import { closeGateFor } from '../records/gate.ts';
import { manifestOf } from '../records/manifest.ts';
import { openRollout, stepOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { type EarnedCounts, type EarningGrant, earnedCounts } from './evidence.ts';
import { type AutonomyMove, type AutonomyState, moveAutonomy, type Slice, stateOf } from './store.ts';

/** A grant that may earn not to ask, and where its release serves so fully that it may. */
interface Earning extends EarningGrant {
  earn: Earn;
  segments: ReadonlySet<string>;
}

/** One judgement, with everything it rests on. */
export interface Judged {
  slice: Slice;
  state: AutonomyState;
  earn: Earn;
  counts: EarnedCounts;
  verdict: EarnedVerdict;
}

/**
 * Judges every grant that may earn not to ask: proposes the move to allow (or makes it, where the release says
 * automatic) and takes it back at once when the evidence no longer carries it. Returns how many moves it made.
 */
export async function judgeAutonomy(services: Services): Promise<number> {
  const agents = await services.db.sql.selectFrom('agent').select('name').orderBy('name').execute();
  let moves = 0;
  for (const { name } of agents) moves += await judgeAgent(services, name);
  return moves;
}

/** The same for one agent: called as soon as a write turns out to be wrong. */
export async function judgeAgent(services: Services, agent: string): Promise<number> {
  let moves = 0;
  for (const earning of await earningGrants(services.db.sql, agent))
    for (const judged of await judgeGrant(services, services.db.sql, earning))
      if (await follow(services, judged)) moves += 1;
  return moves;
}

/** One slice as of now, in this transaction; `undefined`: there is nothing to judge any more. */
export async function judgeSlice(
  services: Pick<Services, 'clock' | 'dayMs'>,
  tx: Sql,
  { agent, release, grant, tool, segment, agentVersion }: Slice,
): Promise<Judged | undefined> {
  const earning = (await earningGrants(tx, agent)).find(
    (one) => one.release === release && one.grant === grant && one.tool === tool,
  );
  const judged = earning ? await judgeGrant(services, tx, earning) : [];
  return judged.find(({ slice }) => slice.segment === segment && slice.agentVersion === agentVersion);
}

async function judgeGrant(
  { clock, dayMs }: Pick<Services, 'clock' | 'dayMs'>,
  db: Sql,
  { earn, segments, ...grant }: Earning,
): Promise<Judged[]> {
  const matureBefore = new Date(clock.now().getTime() - durationMs(earn.matureAfter, dayMs));
  const judged: Judged[] = [];
  for (const counts of await earnedCounts(db, grant, matureBefore)) {
    if (!segments.has(counts.segment)) continue;
    const slice = { ...grant, segment: counts.segment, agentVersion: counts.agentVersion };
    const state = await stateOf(db, slice);
    const verdict = judgeEarned(earn, state === 'allow' ? 'allow' : 'ask', counts);
    judged.push({ slice, state, earn, counts, verdict });
  }
  return judged;
}

/** What a move rests on, as the log and the list keep it: whole numbers, and text for the rest. */
export const evidenceOf = ({ earn, counts, verdict }: Pick<Judged, 'earn' | 'counts' | 'verdict'>) => ({
  decided: counts.decided,
  good: counts.good,
  bad: counts.bad,
  lower: verdict.lower.toFixed(6),
  above: String(earn.above),
  alpha: String(earn.alpha),
});

/** Behind the gate everything is judged once more: people may have said otherwise since. */
async function follow(services: Services, judged: Judged): Promise<boolean> {
  if (!moveFor(judged)) return false;
  return closeGateFor(services, async (tx) => {
    const again = await judgeSlice(services, tx, judged.slice);
    const move = again && moveFor(again);
    if (!move) return false;
    const { slice, state } = again;
    const evidence = evidenceOf(again);
    const now = services.clock.now();
    const moved = await moveAutonomy(tx, slice, { ...move, from: state, evidence, now, actor: 'judge' });
    if (moved) await tell(tx, slice, move.to, move.because, evidence, now);
    return moved;
  });
}

function moveFor({
  state,
  earn,
  verdict: { verdict },
}: Judged): Pick<AutonomyMove, 'to' | 'kind' | 'because'> | undefined {
  if (state === 'allow' && verdict === 'breach')
    return { to: 'ask', kind: 'autonomy.taken_back', because: 'the evidence no longer carries it' };
  if (state === 'proposed' && verdict !== 'earned')
    return { to: 'ask', kind: 'autonomy.withdrawn', because: 'the evidence no longer carries it' };
  if (state !== 'ask' || verdict !== 'earned') return undefined;
  return earn.automatic
    ? { to: 'allow', kind: 'autonomy.allowed', because: 'the evidence carries it and the release lets it' }
    : { to: 'proposed', kind: 'autonomy.proposed', because: 'the evidence carries it' };
}

async function tell(
  tx: Sql,
  slice: Slice,
  to: 'ask' | 'proposed' | 'allow',
  because: string,
  evidence: Readonly<Record<string, unknown>>,
  now: Date,
): Promise<void> {
  const kind = to === 'proposed' ? 'autonomy.proposed' : 'autonomy.changed';
  await raiseAlert(tx, kind, slice.agent, now, { ...slice, to, because, evidence });
}

/** Grants with `earn` of the releases that serve: in force, or the candidate while it scales. */
async function earningGrants(db: Sql, agent: string): Promise<Earning[]> {
  const manifest = await manifestOf(db, agent);
  const served = await servedSegments(db, agent);
  if (served.size === 0) return [];
  const releases = await db
    .selectFrom('release')
    .select('manifest')
    .where('agent', '=', agent)
    .where('version', 'in', [...served.keys()])
    .execute();
  return releases.flatMap(({ manifest: release }) =>
    grantsThatEarn(manifest, release).map((one) => ({
      ...one,
      segments: served.get(release.release) ?? new Set<string>(),
    })),
  );
}

function grantsThatEarn(agent: Agent, release: Release): (EarningGrant & { earn: Earn })[] {
  return release.grants.flatMap((grant, index) => {
    const { earn } = grant;
    if (!earn || !approvalOf(grant)) return [];
    return toolsOf(grant)
      .filter((tool) => {
        const known = toolOf(agent, tool);
        return known !== undefined && isWrite(known);
      })
      .map((tool) => ({
        agent: agent.agent,
        release: release.release,
        grant: grantName(grant, index, tool),
        tool,
        earn,
      }));
  });
}

/** Under strict guardrails (baseline, constrained) every write of a candidate asks: only while it scales may it earn. */
async function servedSegments(db: Sql, agent: string): Promise<Map<string, Set<string>>> {
  const served = new Map<string, Set<string>>();
  const add = (release: string, segment: string) =>
    served.set(release, (served.get(release) ?? new Set<string>()).add(segment));
  const rows = await db
    .selectFrom('in_force')
    .select(['release', 'segment'])
    .where('agent', '=', agent)
    .execute();
  for (const { release, segment } of rows) add(release, segment);
  const open = await openRollout(db, agent);
  if (!open || stepOf(open).phase !== 'scale') return served;
  const exposed = await db
    .selectFrom('rollout_segment')
    .select('segment')
    .where('rollout_id', '=', open.id)
    .where('state', '=', 'exposed')
    .execute();
  for (const { segment } of exposed) add(open.release, segment);
  return served;
}
