import type { Command } from 'commander';
import { type Cli, collect, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { wholeId } from '../ids.ts';
import { type WireCase, type WireDraft, wireCasesText, wireCaseText } from '../text/cases-text.ts';
import { paragraph } from '../text/render.ts';

const pathOf = (agent: string, ...rest: string[]): string =>
  ['/v1/agents', encodeURIComponent(agent), 'cases', ...rest.map(encodeURIComponent)].join('/');

const BOUNDS: Readonly<Record<string, string>> = {
  'at-least': 'atLeast',
  'at-most': 'atMost',
  exactly: 'exactly',
};

/** `at-least=ask:1` and its like. @throws CliError `usage` */
function expectationOf(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text) => {
    const [name = '', answer = ''] = text.split('=');
    const bound = Object.hasOwn(BOUNDS, name) ? BOUNDS[name] : undefined;
    if (bound === undefined || answer === '')
      throw new CliError('usage', `--expect: "${text}" is no bound`, {
        hint: 'Write at-least=ask:1, at-most=allow or exactly=deny',
      });
    return [bound, answer] as const;
  });
  return Object.fromEntries(pairs);
}

/** What the service keeps of them. */
export function registerKeptCases(cases: Command, cli: Cli): void {
  registerReads(cases, cli);
  registerAdd(cases, cli);
  registerVerbs(cases, cli);
  registerFolders(cases, cli);
}

const show = (cli: Cli, one: WireCase): void => cli.print(one, () => wireCaseText(one, cli.io.columns));

function registerReads(cases: Command, cli: Cli): void {
  const list = cases
    .command('list')
    .summary('what the service keeps')
    .argument('<agent>', 'the agent')
    .option('--state <state>', 'proposed, admitted, retired or unreproduced')
    .action(async (agent: string, { state }: { state?: string }) => {
      const found = await cli.api.get<{ items: WireCase[] }>(pathOf(agent), { state });
      cli.print(found, () => wireCasesText(found.items, cli.io.columns));
    });
  withExample(list, 'portcullis cases list airline-desk --state admitted');
  const one = cases
    .command('show')
    .summary('one of them, and what became of it')
    .argument('<agent>', 'the agent')
    .argument('<case>', 'its name')
    .action(async (agent: string, name: string) =>
      show(cli, await cli.api.get<WireCase>(pathOf(agent, name))),
    );
  withExample(one, 'portcullis cases show airline-desk cancel-unvouched');
}

interface AddOptions {
  from?: string;
  action?: string;
  expect: string[];
  name?: string;
  says?: string;
  twin?: string[];
  keep?: true;
}

function registerAdd(cases: Command, cli: Cli): void {
  const add = cases
    .command('add')
    .summary('make one of something that happened')
    .description(
      'Takes the first action of an incident, one that is named, or the last one that a proposal comes from, and puts made-up values in place of what was asked; what it expects is what you say, never what was recorded. Writes cases/NAME.yaml and proposes it; with --output json it writes no file.',
    )
    .option(
      '--from <source>',
      "the incident; or AGENT/CASE, what a person's word proposed: it keeps its name",
    )
    .option('--action <id>', 'or the action')
    .requiredOption(
      '--expect <bound>',
      'at-least=ask:1, at-most=allow, exactly=deny; may be repeated',
      collect,
    )
    .option('--name <name>', 'what it is called')
    .option('--says <text>', 'what must not happen again, in one line and without names')
    .option('--twin <case>', 'a case of the same tool that must stay possible; may be repeated', collect)
    .option('--keep', 'propose it though a value that the answer turns on stayed as it was asked')
    .action((options: AddOptions) => addCase(cli, options));
  withExample(
    add,
    'portcullis cases add --action 6f1d6f0e --expect at-most=ask:1 --name refund-possible',
    'portcullis cases add --from inc-4f2a91c07b --expect at-least=ask:1 --name cancel-late --twin cancel-vouched',
  );
}

async function addCase(cli: Cli, options: AddOptions): Promise<void> {
  const { from, says, twin: twins, keep } = options;
  if ((from === undefined) === (options.action === undefined))
    throw new CliError('usage', 'Give --from SOURCE or --action ID, and not both');
  const [agentNamed, proposal] = from?.includes('/') ? from.split('/', 2) : [];
  const name = nameOf(options, proposal);
  const expect = expectationOf(options.expect);
  const action = options.action && (await wholeId(cli, 'action', options.action));
  const about = action ? `/v1/actions/${action}` : `/v1/incidents/${encodeURIComponent(from ?? '')}`;
  const agent = agentNamed ?? (await cli.api.get<{ agent: string }>(about)).agent;
  const incident = proposal === undefined ? from : undefined;
  const json = { case: name, incident, action, proposal, expect, says, twins };
  const draft = await cli.api.post<WireDraft>(pathOf(agent, 'draft'), json);
  const file = cli.json ? undefined : await writeCase(cli, 'cases', draft.case, 'wx');
  const proposed = draft.kept.length === 0 || keep === true;
  if (proposed) await cli.api.post(pathOf(agent), draft.case);
  cli.print({ ...draft, proposed }, () =>
    addedText({ ...draft, proposed, file: file ?? '' }, cli.io.columns),
  );
}

/** What a person's word proposed is written out in its place. @throws CliError `usage` */
function nameOf({ name }: AddOptions, proposal: string | undefined): string {
  if (proposal !== undefined && name !== undefined && name !== proposal)
    throw new CliError('usage', `What is proposed as "${proposal}" keeps its name`, {
      hint: 'Leave --name out',
    });
  const found = proposal ?? name;
  if (found === undefined) throw new CliError('usage', 'Say what it is called: --name NAME');
  return found;
}

function addedText(
  { case: { agent }, on, kept, proposed, file }: WireDraft & { proposed: boolean; file: string },
  width: number,
): string {
  const looked =
    kept.length > 0
      ? ` Stayed as asked, because the answer turns on it: ${kept.join(', ')}. Look at it.`
      : '';
  const next = proposed
    ? `Proposed to ${agent}; nothing is held to it before it is admitted.`
    : `Not proposed: change it and run portcullis cases import ${agent} cases.`;
  return paragraph(
    `Wrote ${file}. On release ${on.release} it is ${on.verdict}: ${on.why}.${looked} ${next}`,
    width,
  );
}

/** @throws CliError `usage` with flag `wx` for a file that is there */
async function writeCase(cli: Cli, folder: string, one: WireCase['body'], flag: 'w' | 'wx') {
  const { mkdir, writeFile } = await import('node:fs/promises');
  const { join, resolve } = await import('node:path');
  const { stringify } = await import('yaml');
  const file = join(folder, `${one.case}.yaml`);
  await mkdir(resolve(cli.io.cwd, folder), { recursive: true });
  try {
    await writeFile(resolve(cli.io.cwd, file), stringify(one), { flag });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CliError('usage', `${file} is there already: nothing was written or proposed`, {
      hint: 'Give it another --name',
    });
  }
  return file;
}

function registerVerbs(cases: Command, cli: Cli): void {
  const admit = cases
    .command('admit')
    .summary('hold releases to it from now on')
    .description('Runs it on both releases: it must be red on the one that did harm and green on its fix.')
    .argument('<agent>', 'the agent')
    .argument('<case>', 'its name')
    .requiredOption('--red-on <release>', 'the release that did harm')
    .requiredOption('--green-on <release>', 'its fix')
    .action(async (agent: string, name: string, options: { redOn: string; greenOn: string }) =>
      show(cli, await cli.api.post<WireCase>(pathOf(agent, name, 'admit'), options)),
    );
  withExample(admit, 'portcullis cases admit airline-desk cancel-unvouched --red-on 2 --green-on 1');
  const expect = cases
    .command('expect')
    .summary('expect something else of it; a second person says the same')
    .argument('<agent>', 'the agent')
    .argument('<case>', 'its name')
    .requiredOption(
      '--expect <bound>',
      'at-least=ask:1, at-most=allow, exactly=deny; may be repeated',
      collect,
    )
    .requiredOption('--reason <text>', 'why')
    .action(async (agent: string, name: string, options: { expect: string[]; reason: string }) => {
      const json = { expect: expectationOf(options.expect), reason: options.reason };
      show(cli, await cli.api.post<WireCase>(pathOf(agent, name, 'expect'), json));
    });
  withExample(
    expect,
    'portcullis cases expect airline-desk cancel-unvouched --expect exactly=ask:1 --reason "one person is enough"',
  );
  const retire = cases
    .command('retire')
    .summary('let it go; a second person says the same')
    .argument('<agent>', 'the agent')
    .argument('<case>', 'its name')
    .requiredOption('--reason <text>', 'why')
    .action(async (agent: string, name: string, json: { reason: string }) =>
      show(cli, await cli.api.post<WireCase>(pathOf(agent, name, 'retire'), json)),
    );
  withExample(retire, 'portcullis cases retire airline-desk cancel-unvouched --reason "the tool is gone"');
  const aside = cases
    .command('unreproduced')
    .summary('set a proposal aside that is red on no release; a second person says the same')
    .argument('<agent>', 'the agent')
    .argument('<case>', 'its name')
    .requiredOption('--reason <text>', 'why')
    .action(async (agent: string, name: string, json: { reason: string }) =>
      show(cli, await cli.api.post<WireCase>(pathOf(agent, name, 'unreproduced'), json)),
    );
  withExample(
    aside,
    'portcullis cases unreproduced airline-desk cancel-vouched --reason "the vendor changed its answer"',
  );
}

function registerFolders(cases: Command, cli: Cli): void {
  const importAll = cases
    .command('import')
    .summary('propose every case of a folder')
    .description('Checks all of them first. One that is admitted is not changed by its file.')
    .argument('<agent>', 'the agent')
    .argument('<folder>', 'where the files are')
    .action(async (agent: string, folder: string) => {
      const { readCaseFolder } = await import('../case-files.ts');
      const found = await readCaseFolder(folder, cli.io.cwd);
      const other = found.find((one) => one.agent !== agent);
      if (other) throw new CliError('usage', `Case "${other.case}" is of agent "${other.agent}"`);
      if (found.length === 0) throw new CliError('usage', `There is no case in ${folder}`);
      const items: WireCase[] = [];
      for (const one of found) items.push(await cli.api.post<WireCase>(pathOf(agent), one));
      cli.print({ items }, () => wireCasesText(items, cli.io.columns));
    });
  withExample(importAll, 'portcullis cases import airline-desk cases');
  const exportAll = cases
    .command('export')
    .summary('write what the service keeps as files')
    .description(
      'Those that are proposed or admitted and say what they expect; files of their names are replaced.',
    )
    .argument('<agent>', 'the agent')
    .argument('<folder>', 'where to')
    .action(async (agent: string, folder: string) => {
      const { items } = await cli.api.get<{ items: WireCase[] }>(pathOf(agent));
      const kept = items.filter(
        ({ state, body }) => (state === 'proposed' || state === 'admitted') && body.expect !== undefined,
      );
      const files: string[] = [];
      for (const { body } of kept) files.push(await writeCase(cli, folder, body, 'w'));
      cli.print({ files }, () => `Wrote ${files.length} of ${items.length} cases to ${folder}.`);
    });
  withExample(exportAll, 'portcullis cases export airline-desk exported');
}
