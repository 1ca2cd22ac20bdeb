import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Recovered } from '../../switches/recover.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { dataFolder } from '../connection.ts';
import { type Direct, inDatabase } from '../direct.ts';
import { CliError } from '../failure.ts';
import { formatTime } from '../text/format.ts';
import { bullets, fields, paragraph, sections, table } from '../text/render.ts';

interface RecoverOptions {
  reason: string;
  keepTokens?: boolean;
  yes?: boolean;
}

const ABSENT = {
  message: 'Cannot recover: DATABASE_URL is not set, and no store lies in the data folder',
  hint: 'Set DATABASE_URL to the restored database, or PORTCULLIS_DATA to the restored folder',
};

/** `portcullis recover`. */
export const registerRecover: RegisterCommands = (program, cli) => {
  const recover = program
    .command('recover')
    .summary('make a restored store safe')
    .description(
      'After a restore, before any service runs on it: disables everything, reads too, jumps the epoch, rolls exposed segments back and pauses their rollouts, takes back what was earned, ends deputies and revokes every token, because any of it may have been taken away since the backup. Needs the database alone (DATABASE_URL, else the store of the data folder). What to do next, step by step: docs/operations.md.',
    )
    .requiredOption('--reason <text>', 'why; everybody sees it')
    .option('--keep-tokens', 'none was revoked since the backup')
    .option('--yes', 'do not ask')
    .action((options: RecoverOptions) => runRecover(cli, options));
  withExample(recover, 'portcullis recover --reason "Restored from the backup of 03:00" --yes');
};

async function runRecover(cli: Cli, { reason, keepTokens = false, yes }: RecoverOptions): Promise<void> {
  const question = `Disable everything${keepTokens ? '' : ', revoke every token'} and roll back what is exposed?`;
  if (!yes && !(await cli.ask(question, 'Add --yes'))) {
    cli.exit = 'refused';
    return;
  }
  const { recoverStore } = await import('../../switches/recover.ts');
  await inRestored(cli, async ({ db, clock, actor }) => {
    const recovered = await recoverStore({ db, clock }, actor, { reason, keepTokens });
    cli.print(recovered, () => recoveredText(recovered, cli.io.columns));
  });
}

/** The operator's Postgres as it is; our own is started for this alone, so that no service answers before. */
async function inRestored(cli: Cli, use: (direct: Direct) => Promise<void>): Promise<void> {
  if (cli.io.env.DATABASE_URL) return inDatabase(cli, ABSENT, (direct) => onCurrent(cli, direct, use));
  const { DATA, storeFolder } = await import('../../embedded/postgres/address.ts');
  const { runningService } = await import('../../embedded/postgres/takeover.ts');
  const folder = dataFolder(cli.io);
  if (!existsSync(join(storeFolder(folder), DATA)))
    throw new CliError('usage', ABSENT.message, { hint: ABSENT.hint });
  const pid = await runningService(folder);
  if (pid !== undefined)
    throw new CliError('refused', `Cannot recover: the service of ${folder} runs (process ${pid})`, {
      hint: 'Stop it first: nothing may begin on a restored store before',
    });
  const { startPostgres } = await import('../../embedded/postgres/server.ts');
  const server = await startPostgres({ folder: storeFolder(folder), log: (line) => cli.note(line) });
  try {
    const io = { ...cli.io, env: { ...cli.io.env, DATABASE_URL: server.url } };
    await inDatabase({ io, connection: cli.connection }, ABSENT, (direct) =>
      onCurrent(cli, direct, use, true),
    );
  } finally {
    await server.stop();
  }
}

async function onCurrent(
  cli: Cli,
  direct: Direct,
  use: (direct: Direct) => Promise<void>,
  isOurs = false,
): Promise<void> {
  const { prepareStore } = await import('../../db/prepare-store.ts');
  await prepareStore(direct.db, { url: cli.io.env.DATABASE_URL ?? '', isOurs });
  await use(direct);
}

function recoveredText(recovered: Recovered, width: number): string {
  const { epochBefore, epoch, voided, tokensRevoked, deputiesEnded, segments, inForce } = recovered;
  const rolledBack = segments.map(({ agent, segment }) => `${agent} ${segment}`).join(', ');
  return sections(
    paragraph(
      'RECOVERED: everything is off, reads too. Nothing that was asked before begins any more.',
      width,
    ),
    fields(
      [
        ['Epoch', `${epochBefore} -> ${epoch}`],
        ['Voided', `${voided ?? 'all'} that waited or were approved in the backup`],
        ['Rolled back', rolledBack || 'no segment was exposed'],
        ['Tokens', tokensRevoked > 0 ? `${tokensRevoked} revoked` : 'none revoked'],
        ['Deputies', `${deputiesEnded} ended`],
      ],
      width,
    ),
    inForce.length > 0
      ? `In force, as the backup has it: compare it with your manifests\n${table(
          ['agent', 'segment', 'release', 'since'],
          inForce.map(({ agent, segment, release, since }) => [agent, segment, release, formatTime(since)]),
          width,
        )}`
      : undefined,
    `Next, in this order (docs/operations.md has each step)\n${bullets(NEXT, width)}`,
  );
}

const NEXT = [
  'portcullis token create --role admin --person YOU --bootstrap',
  'start the service, then portcullis log verify and portcullis doctor',
  'portcullis keys rotate --reason "restored", so that credentials of the lost store end',
  "find in the tools' own records what ran since the backup: it has no record here",
  'apply your manifests, make tokens for people and agents',
  'portcullis enable everything --reason "...", by two people',
];
