import { LruMap } from 'toad-cache';
import type { Sql } from '../db/database.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import { compileAgent, compileRelease } from '../domain/decision/compile.ts';
import type { CompiledAgent, CompiledRelease } from '../domain/decision/compiled.ts';
import type { RolloutWorld, World } from '../domain/decision/decide.ts';
import { earnedKey } from '../domain/decision/weigh.ts';
import { AppError } from '../errors.ts';
import { readEpoch } from '../records/gate.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { stepOf, watchedRollout } from '../records/rollout.ts';

const AGENTS_KEPT = 1_000;
/** In force in its segments, and the candidate. */
const RELEASES_AN_AGENT = 4;

/** Everything one agent's decisions depend on, as of `epoch`. */
export interface AgentWorld {
  epoch: number;
  agent: Agent;
  world: World;
  /** The rollout that is open, or the completed one whose release is still watched. */
  rollout?: RolloutRecord;
}

/**
 * The worlds of all agents, kept in memory. Nothing here needs to be fresh: every ask is recorded only if the epoch
 * it was decided under is still the current one, and `forget` + `get` then reads the new one.
 */
export class Worlds {
  readonly #db: Sql;
  readonly #worlds: LruMap<Promise<AgentWorld | undefined>>;
  readonly #agents: LruMap<CompiledAgent>;
  readonly #releases: LruMap<CompiledRelease>;

  /** `most`: agents that are kept. */
  constructor(db: Sql, most = AGENTS_KEPT) {
    this.#db = db;
    this.#worlds = new LruMap(most);
    this.#agents = new LruMap(most);
    this.#releases = new LruMap(most * RELEASES_AN_AGENT);
  }

  /** `undefined`: no such agent. Rejects when the store is down. */
  async get(agent: string): Promise<AgentWorld | undefined> {
    const known = this.#worlds.get(agent);
    if (known) return known;
    const loading = this.#load(agent);
    this.#worlds.set(agent, loading);
    try {
      const world = await loading;
      if (!world) this.#worlds.delete(agent);
      return world;
    } catch (error) {
      this.#worlds.delete(agent);
      throw error;
    }
  }

  /**
   * The world as of the epoch that is current when it is called. Asking notices by itself that a world is old; whoever
   * never asks, as a process that serves Slack alone, has to look.
   * @throws AppError `unknown_agent`
   */
  async fresh(agent: string): Promise<AgentWorld> {
    const epoch = await readEpoch(this.#db);
    const known = await this.get(agent);
    if (known && known.epoch < epoch) await this.forget(agent, known.epoch);
    const world = await this.get(agent);
    if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
    return world;
  }

  /** The manifest of this digest: asked of the store only when this process has not met it. */
  async manifest(name: string, digest: string): Promise<Agent | undefined> {
    const known = this.#agents.get(digest);
    if (known) return known.agent;
    const row = await this.#db
      .selectFrom('agent')
      .select(['manifest', 'digest'])
      .where('name', '=', name)
      .executeTakeFirst();
    return row && this.#compiledAgent(row.manifest, row.digest).agent;
  }

  /** Drops what is known of an agent if it is of the epoch that turned out to be old. */
  async forget(agent: string, epoch: number): Promise<void> {
    const known = await this.#worlds.get(agent)?.catch(() => undefined);
    if (!known || known.epoch <= epoch) this.#worlds.delete(agent);
  }

  async #load(name: string): Promise<AgentWorld | undefined> {
    const epoch = await readEpoch(this.#db);
    const row = await this.#db.selectFrom('agent').selectAll().where('name', '=', name).executeTakeFirst();
    if (!row) return undefined;
    const compiled = this.#compiledAgent(row.manifest, row.digest);
    const inForce = await this.#inForce(row.manifest);
    const rollout = await this.#rolloutOf(name);
    const switches = await this.#db
      .selectFrom('switch')
      .select(['scope', 'reads'])
      .where('disabled', '=', true)
      .execute();
    const versions = [...new Set([...Object.values(inForce), ...(rollout ? [rollout.record.release] : [])])];
    const releases = await this.#compiledReleases(name, versions, row.manifest, row.digest);
    const earned = await this.#earned(name);
    const world: World = {
      agent: compiled,
      switches,
      inForce,
      releases,
      earned,
      ...(rollout && { rollout: rollout.world }),
    };
    return { epoch, agent: row.manifest, world, ...(rollout && { rollout: rollout.record }) };
  }

  async #earned(agent: string): Promise<ReadonlySet<string>> {
    const rows = await this.#db
      .selectFrom('autonomy')
      .select(['release', 'grant_name', 'tool', 'segment', 'agent_version'])
      .where('agent', '=', agent)
      .where('state', '=', 'allow')
      .execute();
    return new Set(
      rows.map((row) => earnedKey(row.release, row.grant_name, row.tool, row.segment, row.agent_version)),
    );
  }

  #compiledAgent(manifest: Agent, digest: string): CompiledAgent {
    const known = this.#agents.get(digest);
    if (known) return known;
    const compiled = compileAgent(manifest);
    this.#agents.set(digest, compiled);
    return compiled;
  }

  async #inForce(agent: Agent): Promise<Record<string, string>> {
    const rows = await this.#db.selectFrom('in_force').selectAll().where('agent', '=', agent.agent).execute();
    const bySegment = new Map(rows.map((row) => [row.segment, row.release]));
    const fallback = bySegment.get('default');
    return Object.fromEntries(
      segmentNames(agent).flatMap((segment) => {
        const release = bySegment.get(segment) ?? fallback;
        return release === undefined ? [] : [[segment, release]];
      }),
    );
  }

  async #rolloutOf(agent: string) {
    const record = await watchedRollout(this.#db, agent);
    return record && { record, world: await this.#rolloutWorld(record) };
  }

  async #rolloutWorld(record: RolloutRecord): Promise<RolloutWorld> {
    const segments = await this.#db
      .selectFrom('rollout_segment')
      .select(['segment', 'exposure', 'generation', 'state', 'asks'])
      .where('rollout_id', '=', record.id)
      .execute();
    return {
      id: record.id,
      release: record.release,
      salt: record.salt,
      subject: record.plan.subject,
      asks: record.plan.asks,
      // What has completed is in force as it is granted.
      ...(record.ended_at === null && { step: stepOf(record) }),
      segments: Object.fromEntries(segments.map(({ segment, ...exposure }) => [segment, exposure])),
    };
  }

  async #compiledReleases(
    agent: string,
    versions: readonly string[],
    manifest: Agent,
    digest: string,
  ): Promise<Record<string, CompiledRelease>> {
    const compiled = new Map<string, CompiledRelease>();
    const missing = versions.filter((version) => {
      const known = this.#releases.get(`${digest}/${version}`);
      if (known) compiled.set(version, known);
      return !known;
    });
    const rows =
      missing.length === 0
        ? []
        : await this.#db
            .selectFrom('release')
            .selectAll()
            .where('agent', '=', agent)
            .where('version', 'in', missing)
            .execute();
    for (const row of rows) {
      const release = compileRelease(row.manifest, manifest);
      this.#releases.set(`${digest}/${row.version}`, release);
      compiled.set(row.version, release);
    }
    return Object.fromEntries(compiled);
  }
}
