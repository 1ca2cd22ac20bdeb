import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { timed } from './timed.ts';

/** Vitest's global setup of the tests that need a database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await timed('Postgres', () => startPostgres());
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
