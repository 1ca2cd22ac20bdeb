import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import { periodOf } from '../domain/period.ts';
import type { Release } from '../domain/release.ts';
import type { Blocker, CaseWaiver, SuiteFacts } from '../domain/rollout/blockers.ts';
import { AppError } from '../errors.ts';
import { requireReviewed } from '../records/cycle-review.ts';
import { manifestOf } from '../records/manifest.ts';
import { openRollout } from '../records/rollout.ts';
import { type ReplayedRelease, replayRelease } from '../replay/replay.ts';
import type { Services } from '../services.ts';
import { blockersOf, controlOf } from './may-start.ts';
import { liveWaivers, type StrengthFacts, strengthFacts, suiteFacts } from './suite-gate.ts';

/** What `start` would say of a release, and what it should be read with. */
export interface PreflightView {
  agent: string;
  release: string;
  releaseDigest: string;
  /** Whether it would start now. */
  ready: boolean;
  blockers: (Omit<Blocker, 'code'> & { code: string })[];
  suite: SuiteFacts;
  /** Null where there is no case that could notice anything. */
  strength: StrengthFacts | null;
  /** Cases that need not be green, on whose word and until when. */
  waivers: CaseWaiver[];
  replay: ReplayedRelease;
}

export interface PreflightInput {
  agent: string;
  release: Release;
  noneYet?: string | undefined;
  /** How far back actions are replayed. */
  since: string;
  most?: number | undefined;
}

/**
 * Everything that a start looks at, without starting: cases, their strength, waivers, replay, and every problem at once.
 * @throws AppError `forbidden`, `unknown_agent`, `invalid_input`
 */
export async function preflight(
  services: Services,
  actor: Actor,
  { agent, release, noneYet, since, most }: PreflightInput,
): Promise<PreflightView> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  const { sql: db } = services.db;
  const now = services.clock.now();
  const manifest = await manifestOf(db, agent);
  const suite = await suiteFacts(services, manifest, release);
  const control = await controlOf(db, manifest);
  const blockers = [
    ...(await standingInTheWay(db, agent)),
    ...(await blockersOf(db, {
      manifest,
      release,
      control,
      suite,
      noneYet,
      waivers: [],
      person: actor.id,
      now,
    })),
  ];
  return {
    agent,
    release: release.release,
    releaseDigest: digestOf(release),
    ready: blockers.length === 0,
    blockers,
    suite,
    strength: await strengthFacts(services, manifest, release),
    waivers: await liveWaivers(db, agent, now),
    replay: await replayRelease(services, actor, {
      agent,
      release,
      ...periodOf({ since }, now, services.dayMs),
      ...(most !== undefined && { most }),
    }),
  };
}

/** What keeps any release of the agent from starting. */
async function standingInTheWay(db: Sql, agent: Agent['agent']): Promise<PreflightView['blockers']> {
  const open = await openRollout(db, agent);
  const found: PreflightView['blockers'] = open
    ? [
        {
          code: 'rollout_open',
          message: `rollout ${open.id} is open`,
          hint: 'wait until it has ended, or start with --supersede',
        },
      ]
    : [];
  try {
    await requireReviewed(db, agent);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const hint = String(error.details.hint ?? '');
    found.push({ code: error.code, message: error.message.replace(/^Cannot start: /, ''), hint });
  }
  return found;
}
