import type { ServiceRole } from '../../config/roles.ts';
import type { Config } from '../../config.ts';
import { scopeWords } from '../../domain/scope.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { scaledDayNote } from '../text/format.ts';
import { command, fields, sections } from '../text/render.ts';

/** What `up` needs of a running service. */
export interface Running {
  url: string;
  publicUrl: string;
  localTokenFile?: string;
  switchUrl?: string;
  /** Signs a browser in, once. */
  signInUrl?: string;
  /** Scopes of the switch that are off. */
  switchedOff?: readonly string[];
  /** With a folder and a version when it is our own. */
  database: { address: string; folder?: string; version?: string };
  temporalAddress?: string;
  /** Milliseconds of one day of the installation. */
  dayMs: number;
  stop(): Promise<void>;
}

export type Start = (config: Config, options: { say: (line: string) => void }) => Promise<Running>;

interface UpOptions {
  roles?: string;
  port?: string;
}

/** `portcullis up`. */
export const registerUp: RegisterCommands = (program, cli) => {
  const up = program
    .command('up')
    .summary('run the service')
    .description(
      'Runs the service: every role in one process on embedded parts, or with DATABASE_URL and TEMPORAL_ADDRESS on Postgres and a Temporal cluster. With --roles it is one of several processes, any number of each, that share both: api answers requests, worker drives workflows and posts in Slack, slack answers there, background judges, tells workflows, ends what is overdue and numbers the log, each in one process at a time. Every process has /livez, /readyz and /metrics. Everything else is set by the environment (.env.example). Ctrl-C stops it, a second one at once.',
    )
    .option('--roles <list>', 'api, worker, slack, background (default: all, in this one process)')
    .option(
      '--port <port>',
      'where to listen (PORTCULLIS_PORT; 0 takes any free one; default 8080, without the role api 8090, or the next that is free)',
    )
    .action(async (options: UpOptions) => {
      const { startPortcullis } = await import('../../server.ts');
      await runUp(cli, options, startPortcullis);
    });
  withExample(
    up,
    'portcullis up',
    'portcullis up --roles api --port 8081',
    'portcullis up --roles worker,background',
  );
};

/** Starts it, says where, and stays until it is told to stop. */
export async function runUp(cli: Cli, options: UpOptions, start: Start): Promise<void> {
  const { readConfig } = await import('../../config.ts');
  const { SERVICE_ROLES } = await import('../../config/roles.ts');
  const named = options.roles === undefined ? undefined : rolesOf(options.roles, SERVICE_ROLES);
  const port = options.port === undefined ? {} : { PORTCULLIS_PORT: options.port };
  const config = readConfig({ ...cli.io.env, ...port }, named);
  const guard = surviveEmptyRejections(cli);
  const stopped = untilStopped(cli);
  try {
    const running = await start(config, { say: (line) => cli.note(line) });
    cli.print(factsOf(running, config), () => upText(running, config, slackText(running, config)));
    await stopped.signal;
    await running.stop();
  } finally {
    stopped.forget();
    guard.forget();
  }
}

/** @throws CliError `usage` */
function rolesOf(list: string, known: readonly ServiceRole[]): readonly ServiceRole[] {
  const asked = list.split(',').map((role) => role.trim());
  const unknown = asked.filter((role) => !known.some((one) => one === role));
  if (unknown.length === 0) return known.filter((role) => asked.includes(role));
  throw new CliError('usage', `There is no role "${unknown.join(', ')}"`, {
    hint: `Roles are ${known.join(', ')}`,
  });
}

const factsOf = (
  { url, publicUrl, switchUrl, localTokenFile, signInUrl, switchedOff = [], database, dayMs }: Running,
  config: Config,
) => ({
  url,
  publicUrl,
  switchUrl,
  signInUrl,
  switchedOff,
  roles: config.roles,
  database: config.databaseUrl ? 'postgres' : 'embedded',
  databaseAddress: database.address,
  databaseFolder: database.folder,
  temporal: config.temporal.address ?? 'embedded',
  slack: config.slack !== undefined,
  dayMs,
  localTokenFile,
});

function upText(
  {
    url,
    publicUrl,
    switchUrl,
    localTokenFile,
    signInUrl,
    switchedOff = [],
    database,
    temporalAddress,
    dayMs,
  }: Running,
  { temporal, roles }: Config,
  slack: string | undefined,
): string {
  const embedded = temporalAddress && `embedded, at ${temporalAddress}`;
  return sections(
    roles.includes('api')
      ? `Portcullis answers at ${url}`
      : `This process says how it does at ${url}: /livez, /readyz, /metrics`,
    fields([
      ['Roles', roles.join(', ')],
      ['People', publicUrl === url ? undefined : publicUrl],
      ['Switch', switchUrl && `${switchUrl}: a process of its own, which portcullis disable tries first`],
      ['Database', databaseText(database)],
      ['Temporal', temporal.address ?? embedded],
      ['Slack', slack],
      ['Token', localTokenFile && `${localTokenFile}: commands run in this folder use it`],
      ['Off', switchedOff.length > 0 ? `SWITCHED OFF: ${switchedOff.map(scopeWords).join(', ')}` : undefined],
      ['Note', scaledDayNote(dayMs)],
    ]),
    signInUrl && `The pages, signed in; the link works once, within 15 minutes:\n${command(signInUrl)}`,
    localTokenFile && `Next, in another terminal:\n${command('portcullis apply agent.yaml release-1.yaml')}`,
  );
}

/** Undefined: it is not this process's. */
function slackText({ publicUrl }: Running, { roles, slack }: Config): string | undefined {
  if (!roles.includes('worker') && !roles.includes('slack')) return undefined;
  if (slack) return roles.includes('slack') ? 'on' : 'on, to post in';
  return `no Slack tokens: approvals are answered at ${publicUrl}/actions and by portcullis approvals approve`;
}

const databaseText = ({ address, folder, version }: Running['database']): string =>
  folder ? `embedded (Postgres ${version}), at ${address}, in ${folder}` : `Postgres at ${address}`;

/** Resolves at the first signal; the second one ends the process. */
function untilStopped(cli: Cli): { signal: Promise<void>; forget(): void } {
  let resolve: () => void = () => {};
  const signal = new Promise<void>((done) => {
    resolve = done;
  });
  let signals = 0;
  const onSignal = () => {
    signals += 1;
    if (signals > 1) process.exit(130);
    cli.note('Stopping; again to stop at once.');
    resolve();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  cli.io.interrupted().addEventListener('abort', resolve);
  return {
    signal,
    forget() {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}

/** Slack's socket client rejects promises nobody holds with `undefined` when a connection dies; it reconnects by itself. */
function surviveEmptyRejections(cli: Cli): { forget(): void } {
  const onRejection = (reason: unknown) => {
    if (reason !== undefined) throw reason;
    cli.io.err('A connection of the Slack client ended without a reason; it connects again by itself.\n');
  };
  process.on('unhandledRejection', onRejection);
  return { forget: () => void process.off('unhandledRejection', onRejection) };
}
