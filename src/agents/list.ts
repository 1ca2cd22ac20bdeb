import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { AppError } from '../errors.ts';

export interface AgentView {
  agent: string;
  revision: number;
  digest: string;
  appliedAt: Date;
  appliedBy: string;
  manifest: Agent;
  inForce: { segment: string; release: string; since: Date; because: string }[];
  releases: { version: string; digest: string; createdAt: Date }[];
}

/** @throws AppError `unknown_agent` */
export async function agentView(db: Sql, name: string): Promise<AgentView> {
  const row = await db.selectFrom('agent').selectAll().where('name', '=', name).executeTakeFirst();
  if (!row) throw new AppError('unknown_agent', `Agent "${name}" is not known`);
  const inForce = await db
    .selectFrom('in_force')
    .selectAll()
    .where('agent', '=', name)
    .orderBy('segment')
    .execute();
  const releases = await db
    .selectFrom('release')
    .selectAll()
    .where('agent', '=', name)
    .orderBy('created_at')
    .execute();
  return {
    agent: row.name,
    revision: row.revision,
    digest: row.digest,
    appliedAt: row.applied_at,
    appliedBy: row.applied_by,
    manifest: row.manifest,
    inForce: inForce.map(({ segment, release, since, because }) => ({ segment, release, since, because })),
    releases: releases.map(({ version, digest, created_at }) => ({ version, digest, createdAt: created_at })),
  };
}

/** Names of all agents, alphabetically. */
export async function listAgents(db: Sql): Promise<{ agent: string; revision: number }[]> {
  const rows = await db.selectFrom('agent').select(['name', 'revision']).orderBy('name').execute();
  return rows.map(({ name, revision }) => ({ agent: name, revision }));
}
