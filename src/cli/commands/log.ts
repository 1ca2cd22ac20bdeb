import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import type { Exported } from '../export-log.ts';
import { CliError } from '../failure.ts';
import { isIdBeginning, isWholeId, wholeId } from '../ids.ts';
import { formatTime } from '../text/format.ts';
import { bodyOf, entriesText, entryDetails, entryText } from '../text/log-text.ts';
import { command, fields, paragraph, quoted, sections } from '../text/render.ts';
import type { Kept, LogHead, LogVerdict } from '../verify-log.ts';
import type { LogRecord } from '../wire.ts';

const POLL_MS = 1_000;
const PAGE_MAX = 1_000;
const FAULTS: Readonly<Record<NonNullable<LogVerdict['fault']>['fault'], string>> = {
  missing: 'is missing',
  hash: 'was changed: its hash is not that of its content',
  form: 'is not in the form that is hashed',
  'cut-off': 'is missing: the log ends before the head that was signed or kept',
  rewritten: 'was rewritten: its hash is not the one that was signed or kept',
  signature: 'is not signed by the service that serves it',
  seal: 'is where the log begins, and that is not signed by the service that serves it',
  dropped: 'was kept here and is dropped there: the log begins after it, and nothing can be compared with it',
};

/** `portcullis log`. */
export const registerLog: RegisterCommands = (program, cli) => {
  const log = program.command('log').summary('read and verify the transparency log');
  log.description('The log holds everything decided and done; each entry is chained to the one before.');
  registerTail(log, cli);
  const show = log
    .command('show')
    .summary('show one entry, or all about an action or rollout')
    .description('Shows one entry by its number, or all entries about an action, rollout, switch or token.')
    .argument('<what>', 'a number, or the id of what it is about')
    .action((what: string) => runShow(cli, what));
  withExample(show, 'portcullis log show 42', 'portcullis log show 0193a7c4-5e2f');
  const verify = log
    .command('verify')
    .summary('recompute the log')
    .description(
      'Fetches the log and recomputes every hash on this machine, from its first entry on, or from where it was sealed before what was older was dropped; exit code 5 when it does not verify. Keep the answer: with --against a later run also proves that the past is still the same, with --since it recomputes only what came after.',
    )
    .addOption(new Option('--against <file>', 'the --output json of an earlier run').conflicts('since'))
    .option('--since <file>', 'the same: begin there')
    .action((options: VerifyOptions) => runVerify(cli, options));
  withExample(
    verify,
    'portcullis log verify --output json > head.json',
    'portcullis log verify --against head.json   # a month later',
  );
  const exported = log
    .command('export')
    .summary('write the log to a file')
    .description(
      'Writes all entries to a file, one line of JSON each (seq, hash, body), and recomputes their hashes on the way. Run again it adds what came since: run it more often than the log is dropped (portcullis retention status), where it must be kept for longer.',
    )
    .requiredOption('--out <file>', 'is gone on with where it is there')
    .action(({ out }: { out: string }) => runExport(cli, out));
  withExample(exported, 'portcullis log export --out log.jsonl');
};

interface VerifyOptions {
  against?: string;
  since?: string;
}

interface TailOptions {
  follow?: boolean;
  agent?: string;
  kind?: string;
  lines: string;
}

function registerTail(log: Command, cli: Cli): void {
  const tail = log
    .command('tail')
    .summary('show the newest entries')
    .description(
      'Shows the newest entries, oldest of them first. With --output json and -f: one entry a line.',
    )
    .option('-f, --follow', 'go on as they come')
    .option('--agent <agent>', 'only of this agent')
    .option('--kind <kind>', 'only of this kind, such as action.approved')
    .option('-n, --lines <n>', 'how many to begin with', '20')
    .action((options: TailOptions) => runTail(cli, options));
  withExample(tail, 'portcullis log tail -f --agent my-agent');
}

async function runTail(cli: Cli, { follow, agent, kind, lines }: TailOptions): Promise<void> {
  const limit = Math.min(PAGE_MAX, wholeNumber('--lines', lines));
  const query = { agent, kind, limit, newestFirst: true };
  const newest = await cli.api.get<{ entries: LogRecord[] }>('/v1/log', query);
  const entries = newest.entries.toReversed();
  if (!follow)
    return cli.print({ entries: entries.map(entryJson) }, () => entriesText(entries, cli.io.columns));
  for (const entry of entries) printEntry(cli, entry);
  const signal = cli.io.interrupted();
  let after = entries.at(-1)?.seq ?? 0;
  while (!signal.aborted) {
    const more = await cli.api.get<{ entries: LogRecord[] }>('/v1/log', {
      agent,
      kind,
      after,
      limit: PAGE_MAX,
    });
    for (const entry of more.entries) printEntry(cli, entry);
    after = more.entries.at(-1)?.seq ?? after;
    if (more.entries.length < PAGE_MAX) await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/** The body is hashed as RFC 8785 text: whoever reads it as an object can write that again. */
const entryJson = (entry: LogRecord): object => ({ ...entry, body: bodyOf(entry) });

const printEntry = (cli: Cli, entry: LogRecord): void =>
  cli.io.out(`${cli.json ? JSON.stringify(entryJson(entry)) : entryText(entry, cli.io.columns)}\n`);

async function runShow(cli: Cli, what: string): Promise<void> {
  const entry = /^\d+$/.test(what) ? await entryOf(cli, what) : undefined;
  if (entry) return cli.print({ entries: [entryJson(entry)] }, () => entryDetails(entry, cli.io.columns));
  const ref = await refOf(cli, what);
  const found = await cli.api.get<{ entries: LogRecord[] }>('/v1/log', { ref, limit: PAGE_MAX });
  if (found.entries.length === 0) {
    throw new CliError('usage', `The log has no entry about "${what}"`, {
      code: 'not_found',
      hint: 'Write a number or an id; portcullis log tail shows them',
    });
  }
  const data = { entries: found.entries.map(entryJson) };
  cli.print(data, () => sections(...found.entries.map((entry) => entryDetails(entry, cli.io.columns))));
}

/** The entry of a number; nothing where it may as well be an id that begins with digits alone. */
async function entryOf(cli: Cli, number: string): Promise<LogRecord | undefined> {
  try {
    return await cli.api.get<LogRecord>(`/v1/log/entries/${number}`);
  } catch (error) {
    if (error instanceof CliError && error.code === 'not_found' && isIdBeginning(number)) return undefined;
    throw error;
  }
}

/** An action most of the time; else a rollout, a scope, or the whole id of something. */
async function refOf(cli: Cli, what: string): Promise<string> {
  if (isWholeId(what) || !isIdBeginning(what)) return what;
  return wholeId(cli, 'action', what).catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'not_found') return what;
    throw error;
  });
}

async function runVerify(cli: Cli, { against, since }: VerifyOptions): Promise<void> {
  const file = against ?? since;
  const kept: Kept | undefined =
    file === undefined
      ? undefined
      : { head: await keptHead(resolve(cli.io.cwd, file)), use: since === undefined ? 'against' : 'since' };
  const { verifyWholeLog } = await import('../verify-log.ts');
  const verdict = await verifyWholeLog(cli.api, kept, (seq) => {
    if (cli.io.interactive && seq >= PAGE_MAX) cli.note(`Recomputed up to #${seq}`);
  });
  if (!verdict.verified) cli.exit = 'unverified';
  cli.print(verdict, () => verdictText(verdict, kept, cli.io.columns));
}

async function runExport(cli: Cli, out: string): Promise<void> {
  const { exportLog } = await import('../export-log.ts');
  const signal = cli.io.interrupted();
  const exported = await exportLog(cli.api, resolve(cli.io.cwd, out), signal, (seq) => {
    if (cli.io.interactive && seq >= PAGE_MAX) cli.note(`Written up to #${seq}`);
  });
  if (signal.aborted) cli.exit = 'unfinished';
  cli.print(exported, () => exportedText(exported, out, cli.io.columns));
}

/** @throws CliError `usage` */
async function keptHead(file: string): Promise<LogHead> {
  const text = await readFile(file, 'utf8');
  try {
    const { seq, hash } = JSON.parse(text) as Partial<LogHead>;
    if (Number.isSafeInteger(seq) && /^[0-9a-f]{64}$/.test(hash ?? ''))
      return { seq: Number(seq), hash: String(hash) };
  } catch {
    // said below
  }
  throw new CliError('usage', `${file} holds no head of a log`, {
    hint: 'Make one: portcullis log verify --output json > head.json',
  });
}

function verdictText(verdict: LogVerdict, kept: Kept | undefined, width: number): string {
  const { verified, seq, hash, tail, fault, from, seal } = verdict;
  const same = kept ? ` Entry ${kept.head.seq} is the one that was kept.` : '';
  const since = from.seq > 0 ? ` after #${from.seq}` : '';
  const said = fault
    ? `DOES NOT VERIFY: entry ${fault.seq} ${FAULTS[fault.fault]}.`
    : `Verified: ${seq - from.seq} entries${since}, recomputed on this machine.${same}`;
  return sections(
    paragraph(said, width),
    fields(
      [
        [verified ? 'Head' : 'Good to', `#${seq}`],
        ['Hash', hash],
        ['Tail', tail > 0 ? `${tail} committed and not numbered yet` : undefined],
        ['Sealed', seal && `${seal.entries} entries, up to #${seal.seq} of ${formatTime(seal.at)}`],
        ['Dropped', seal && `${formatTime(seal.sealedAt)}; what they came to is signed`],
      ],
      width,
    ),
  );
}

function exportedText({ written, seq, begins }: Exported, out: string, width: number): string {
  return sections(
    paragraph(
      written === 0
        ? `Nothing came since: ${out} ends with #${seq}.`
        : `Exported: ${written} entries, each recomputed on this machine. ${out} holds #${begins} to #${seq}.`,
      width,
    ),
    `To add what comes:\n${command(`portcullis log export --out ${quoted(out)}`)}`,
  );
}
