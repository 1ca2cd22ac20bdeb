import { oncePerRun, timed } from './once-per-run.ts';
import { startPostgres } from './postgres.ts';

/** Vitest's global setup of the projects that need a database. */
export default oncePerRun(
  'postgres',
  () => timed('Postgres', () => startPostgres()),
  (project, { url }) => project.provide('postgresUrl', url),
);
