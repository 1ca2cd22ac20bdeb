/** Settings of the server, as `postgres -c name=value`. */
export type PostgresSettings = Readonly<Record<string, string | number>>;

/** Reached from this machine alone, and by TCP: a socket's path could be too long, and Windows has none. */
const ALWAYS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Statements and the values in an error's details are arguments, which are nobody's to read in a log.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** What was acknowledged is on the disk. These are Postgres' defaults, said so that nobody's configuration changes them. */
export const DURABLE: PostgresSettings = {
  ...ALWAYS,
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: 100,
};

/** For tests: nothing survives a crash of the machine, and many databases are open at once. */
export const FAST: PostgresSettings = {
  ...ALWAYS,
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: 200,
};

export const settingArguments = (settings: PostgresSettings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** Nothing of ours: neither its variables (PGDATA, LC_…) nor our secrets reach the server. */
export const SERVER_ENVIRONMENT: NodeJS.ProcessEnv = {
  LC_ALL: 'C',
  ...Object.fromEntries(
    ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  ),
};
