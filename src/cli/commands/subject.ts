import { setTimeout as sleep } from 'node:timers/promises';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { fields, paragraph, sections } from '../text/render.ts';
import type { WireErasure } from '../wire.ts';

const POLL_MS = 1_000;

interface EraseOptions {
  reason: string;
  yes?: boolean;
}

/** `portcullis subject`. */
export const registerSubject: RegisterCommands = (program, cli) => {
  const subject = program.command('subject').summary('erase what is kept of a customer or conversation');
  subject.description(
    'A subject is the customer or conversation that an action is about, by the name the agent gave.',
  );
  const erase = subject
    .command('erase')
    .summary('erase what is kept of one')
    .description(
      'Erases the arguments, results and texts of everything that was asked about a subject, and its key: the log and the receipts still verify, and nobody can link their digests to it any more. What waits is withdrawn. It cannot be undone. It goes on in the service, also where this command is ended; exit code 6 then. Needs a token with the role admin.',
    )
    .argument('<agent>', 'the agent that asked')
    .argument('<subject>', 'as the agent named it')
    .requiredOption('--reason <text>', 'why; it stands in the log, so do not name the subject')
    .option('--yes', 'do not ask')
    .action((agent: string, name: string, options: EraseOptions) => runErase(cli, agent, name, options));
  withExample(erase, 'portcullis subject erase my-agent customer-4711 --reason "Request 88 of May"');
};

async function runErase(
  cli: Cli,
  agent: string,
  subject: string,
  { reason, yes }: EraseOptions,
): Promise<void> {
  const question = `Erase all that is kept of "${subject}" of ${agent}? It cannot be undone.`;
  if (!yes && !(await cli.ask(question, 'Add --yes'))) throw new CliError('refused', 'Nothing was erased');
  const path = `/v1/agents/${encodeURIComponent(agent)}/erasures`;
  const signal = cli.io.interrupted();
  let erasure = await cli.api.post<WireErasure>(path, { subject, reason });
  while (erasure.state === 'going-on' && !signal.aborted) {
    cli.note(`Goes on: ${counted(erasure)} until now`);
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) erasure = await cli.api.get<WireErasure>(`${path}/${erasure.id}`);
  }
  if (erasure.state === 'going-on') cli.exit = 'unfinished';
  cli.print(erasure, () => erasureText(erasure, cli.io.columns));
}

const counted = ({ actions, reads }: WireErasure): string =>
  `${actions} ${actions === 1 ? 'action' : 'actions'} and ${reads} ${reads === 1 ? 'read' : 'reads'}`;

function erasureText(erasure: WireErasure, width: number): string {
  const { id, state, agent } = erasure;
  if (state === 'going-on')
    return paragraph(
      `Not done yet: ${counted(erasure)} are empty. The service goes on with erasure ${id}.`,
      width,
    );
  return sections(
    paragraph(`Erased: ${counted(erasure)} of ${agent} hold nothing of it any more.`, width),
    fields([['Erasure', id]], width),
    paragraph(
      'Backups, and what the database has written until now, hold it until they are over: docs/security.md says how long.',
      width,
    ),
  );
}
