import type { Sql } from '../db/database.ts';
import { type Agent, onCallOf } from '../domain/agent.ts';
import { unjudgeable } from '../domain/evidence/measure.ts';
import { checkSteps } from '../domain/manifest/check-steps.ts';
import { type Release, toolsOf } from '../domain/release.ts';
import {
  type Blocker,
  businessBlockers,
  type CaseWaiver,
  overdueBlockers,
  type SuiteFacts,
  suiteBlockers,
  waiverBlockers,
} from '../domain/rollout/blockers.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import { releaseByVersion } from '../records/release.ts';
import { openRollout } from '../records/rollout.ts';
import type { StartRolloutInput } from './start-input.ts';
import {
  liveWaivers,
  noneYetOf,
  overdueOf,
  type SuiteServices,
  suiteFacts,
  type WaiverInput,
} from './suite-gate.ts';

/** All that says whether a release may start now. */
export interface MayStart {
  manifest: Agent;
  release: Release;
  /** The release in force, by segment. */
  control: Readonly<Record<string, string>>;
  suite: SuiteFacts;
  noneYet: string | undefined;
  waivers: readonly WaiverInput[];
  person: string;
  now: Date;
}

/** Run before anything is locked: thousands of cases take a while, and nobody's write waits for it. */
export async function suiteOfStart(
  services: SuiteServices,
  { agent, release }: Pick<StartRolloutInput, 'agent' | 'release'>,
): Promise<SuiteFacts> {
  const { sql: db } = services.db;
  const manifest = await manifestOf(db, agent);
  return suiteFacts(services, manifest, await releaseByVersion(db, agent, release));
}

/** @throws AppError `preflight_failed` with every problem at once, `wrong_state` when a rollout is open */
export async function assertMayStart(tx: Sql, asked: MayStart): Promise<void> {
  const { manifest, release } = asked;
  const open = await openRollout(tx, manifest.agent);
  if (open)
    throw new AppError('wrong_state', `Cannot start: rollout ${open.id} of "${manifest.agent}" is open`, {
      rollout: open.id,
      hint: `Wait until it has ended, take it back (rollout rollback ${open.id}), or start with supersede: it ends, and this one takes its place`,
    });
  const blockers = await blockersOf(tx, asked);
  if (blockers.length === 0) return;
  const problems = blockers.map(problemText);
  throw new AppError(
    'preflight_failed',
    `Cannot start release ${release.release}:\n- ${problems.join('\n- ')}`,
    { problems, blockers },
  );
}

/** The release in force, by segment. */
export async function controlOf(tx: Sql, agent: Agent): Promise<Record<string, string>> {
  const rows = await tx.selectFrom('in_force').selectAll().where('agent', '=', agent.agent).execute();
  return Object.fromEntries(rows.map((row) => [row.segment, row.release]));
}

const problemText = ({ message, hint }: Blocker): string => (hint === '' ? message : `${message}: ${hint}`);

/** Everything that keeps the release from starting, all at once. */
export async function blockersOf(
  db: Sql,
  { manifest, release, control, suite, noneYet, waivers: asked, person, now }: MayStart,
): Promise<Blocker[]> {
  const { agent } = manifest;
  const waived: CaseWaiver[] = asked.map((one) => ({ ...one, person }));
  const waivers = [...(await liveWaivers(db, agent, now)), ...waived];
  const saidBefore = await noneYetOf(db, agent);
  return [
    ...(await notReady(db, manifest, release, control)),
    ...businessBlockers(release.rollout.guardrails, manifest.metrics),
    ...suiteBlockers({ suite, waivers, noneYet, saidBefore }),
    ...waiverBlockers(waived, suite),
    ...overdueBlockers(await overdueOf(db, agent, now)),
  ];
}

/** What was said so that it may start: once that there is no case yet, and which cases need not be green until when. */
export async function recordLeave(
  tx: Sql,
  {
    input: { agent, release, noneYet, waivers = [] },
    person,
    rollout,
    at,
  }: { input: StartRolloutInput; person: string; rollout: string; at: Date },
): Promise<void> {
  if (noneYet !== undefined)
    await tx.insertInto('none_yet').values({ agent, release, person, reason: noneYet, at }).execute();
  for (const { case: name, reason, until } of waivers)
    await tx
      .insertInto('case_waiver')
      .values({ agent, case_name: name, until, person, reason, at, rollout_id: rollout })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

const blocked = (message: string, hint = ''): Blocker => ({ code: 'not_ready', message, hint });

async function notReady(
  tx: Sql,
  agent: Agent,
  release: Release,
  control: Readonly<Record<string, string>>,
): Promise<Blocker[]> {
  // The agent may be another one than when the release was applied.
  const found = checkSteps(release, agent).map(({ message, hint }) => blocked(message, hint));
  const { guardrails, signedOffBy } = release.rollout;
  if (Object.keys(control).length === 0)
    found.push(
      blocked('nothing is in force yet', `adopt a first release (portcullis adopt ${agent.agent} <release>)`),
    );
  if (Object.values(control).includes(release.release))
    found.push(blocked(`release ${release.release} is in force already`));
  if (agent.owners.length === 0) found.push(blocked('the agent has no owner'));
  if (onCallOf(agent).length === 0) found.push(blocked('nobody is on call'));
  if (!signedOffBy)
    found.push(
      blocked(
        'nobody signed the definitions, escalation and rollback triggers',
        'set rollout.signedOffBy to a person',
      ),
    );
  if (guardrails.length === 0)
    found.push(
      blocked(
        'no guardrail would take it back',
        'add rollout.guardrails with a metric, a limit and its reason',
      ),
    );
  for (const guardrail of guardrails) found.push(...(await unjudged(tx, agent, guardrail, control)));
  return found;
}

async function unjudged(
  tx: Sql,
  agent: Agent,
  guardrail: Release['rollout']['guardrails'][number],
  control: Readonly<Record<string, string>>,
): Promise<Blocker[]> {
  const { metric, limit, control: besides } = guardrail;
  const declared = agent.metrics[metric];
  if (!declared) return [blocked(`guardrail ${metric}: the agent has no such metric`)];
  const found = unjudgeable(declared, guardrail).map((why) => blocked(`guardrail ${metric}: ${why}`));
  const { tool } = declared;
  const rests = typeof limit !== 'number' ? 'baseline' : besides ? 'control' : undefined;
  if (rests && tool !== undefined && !(await controlGrants(tx, agent, control, tool)))
    found.push(
      blocked(
        `guardrail ${metric}: no release in force grants "${tool}", so there is no ${rests} of it`,
        'write a limit of its own',
      ),
    );
  return found;
}

/** Whether anything in force lets the tool be used: what nobody may do has no baseline. */
async function controlGrants(
  tx: Sql,
  agent: Agent,
  control: Readonly<Record<string, string>>,
  tool: string,
): Promise<boolean> {
  for (const version of new Set(Object.values(control))) {
    const { grants } = await releaseByVersion(tx, agent.agent, version);
    if (grants.some((grant) => grant.deny === undefined && toolsOf(grant).includes(tool))) return true;
  }
  return false;
}
