import type { MigrationStep } from '../../db/migration-steps.ts';
import type { StoreState } from '../../db/store-state.ts';
import { durationMs, isDurationBetween } from '../../domain/duration.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { type Direct, inDatabase } from '../direct.ts';
import { CliError } from '../failure.ts';
import { command, fields, paragraph, sections, table } from '../text/render.ts';

const ABSENT = {
  message: 'Cannot look at the store: DATABASE_URL is not set, and no embedded store runs here',
  hint: 'Set DATABASE_URL. An embedded store is brought along by portcullis up',
};
const PATIENCE_DEFAULT = '10m';

interface MigrateOptions {
  dryRun?: boolean;
  patience: string;
}

/** `portcullis migrate`. */
export const registerMigrate: RegisterCommands = (program, cli) => {
  const migrate = program
    .command('migrate')
    .summary('bring the database to this version')
    .description(
      'Brings the tables and functions of the database (DATABASE_URL) to this version, step by step, while the service runs on it: a lock that others hold is waited for half a second at a time. One that ended in between goes on where it was. An embedded store is brought along by portcullis up. Upgrades are explained in docs/operations.md.',
    )
    .option('--dry-run', 'say what would be done, in order, and do nothing')
    .option('--patience <duration>', 'how long to try for locks that others hold', PATIENCE_DEFAULT)
    .action((options: MigrateOptions) => runMigrate(cli, options));
  withExample(migrate, 'portcullis migrate --dry-run', 'DATABASE_URL=postgres://... portcullis migrate');
  const status = migrate
    .command('status')
    .summary('what is done and what is pending')
    .description(
      'Says which steps are done, which are pending, and the newest that this version knows. Exit code 1 unless the database is of this version.',
    )
    .action(() => inDatabase(cli, ABSENT, (direct) => showStatus(cli, direct)));
  withExample(status, 'portcullis migrate status');
};

async function runMigrate(cli: Cli, { dryRun, patience }: MigrateOptions): Promise<void> {
  if (!isDurationBetween(patience, '0ms', '24h'))
    throw new CliError('usage', `"${patience}" is not a duration up to 24h`, {
      hint: 'Write for instance 30s or 10m',
    });
  if (dryRun) return inDatabase(cli, ABSENT, (direct) => showPlan(cli, direct));
  const { migrate } = await import('../../db/migrate.ts');
  await inDatabase(cli, ABSENT, async ({ db }) => {
    const options = { patienceMs: durationMs(patience), say: (line: string) => cli.note(line) };
    const done = (await migrate(db, options)).map(({ name }) => name);
    cli.print({ done }, () =>
      done.length === 0
        ? 'The tables were of this version already; its functions stand.'
        : `Done: ${steps(done.length)}.`,
    );
  });
}

const steps = (count: number): string => `${count} step${count === 1 ? '' : 's'}`;

async function stateOf({ db }: Direct): Promise<StoreState> {
  const { readStoreState } = await import('../../db/store-state.ts');
  return readStoreState(db.sql);
}

async function showPlan(cli: Cli, direct: Direct): Promise<void> {
  const state = await stateOf(direct);
  const { refuseNewer } = await import('../../db/store-state.ts');
  refuseNewer(state, 'Cannot migrate');
  const { pending, code } = state;
  const functions = functionsOf(code);
  cli.print({ steps: pending, functions }, () =>
    sections(
      ...pending.map(({ name, concurrently, statements }) =>
        [
          `${name}: ${concurrently ? 'one by one, beside everyday work' : 'in one transaction'}`,
          ...statements.map((statement) => command(firstLine(statement))),
        ].join('\n'),
      ),
      functions.length > 0 ? ['Functions and triggers:', ...functions.map(command)].join('\n') : undefined,
      pending.length + functions.length === 0 ? 'Nothing is to do.' : 'Nothing was done.',
    ),
  );
}

const firstLine = (statement: string): string => statement.replace(/^(--.*\n)+/, '').split('\n')[0] ?? '';

const functionsOf = ({ drop, create, replace }: StoreState['code']): string[] => [
  ...drop.map(({ kind, identity }) => `drop ${kind.toLowerCase()} ${identity}`),
  ...create.map(({ kind, identity }) => `create ${kind.toLowerCase()} ${identity}`),
  ...replace.map(({ kind, identity }) => `replace ${kind.toLowerCase()} ${identity}`),
];

async function showStatus(cli: Cli, direct: Direct): Promise<void> {
  const state = await stateOf(direct);
  const { isCurrent } = await import('../../db/store-state.ts');
  const { migrationSteps } = await import('../../db/migration-steps.ts');
  if (!isCurrent(state)) cli.exit = 'refused';
  const newestKnown = migrationSteps().at(-1)?.name;
  const { applied, pending, unknown, code } = state;
  const functions = functionsOf(code);
  const data = {
    current: isCurrent(state),
    newestKnown,
    applied,
    pending: pending.map(nameOf),
    unknown,
    functions,
  };
  cli.print(data, () => statusText(data, cli.io.columns));
}

const nameOf = ({ name }: MigrationStep): string => name;

interface Status {
  current: boolean;
  newestKnown: string | undefined;
  applied: { name: string; at: string }[];
  pending: string[];
  unknown: string[];
  functions: string[];
}

function statusText(
  { current, newestKnown, applied, pending, unknown, functions }: Status,
  width: number,
): string {
  const pendingText = pending.length > 0 ? pending.join(', ') : 'nothing';
  return sections(
    applied.length > 0
      ? table(
          ['done', 'when'],
          applied.map(({ name, at }) => [name, at]),
          width,
        )
      : 'Nothing is done.',
    fields(
      [
        ['Newest known', newestKnown],
        ['Pending', pendingText],
        ['Newer', unknown.length > 0 ? `${unknown.join(', ')}: of a newer version than this one` : undefined],
        ['Functions', functions.length > 0 ? `${functions.length} to change` : 'of this version'],
      ],
      width,
    ),
    current ? undefined : paragraph(nextText(unknown), width),
  );
}

const nextText = (unknown: readonly string[]): string =>
  unknown.length > 0
    ? 'This version does not run on it: use the one that migrated it, or a later one.'
    : 'Next: portcullis migrate';
