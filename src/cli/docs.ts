import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { systemPage } from '../domain/system/page.ts';
import { Cli } from './cli.ts';
import { COMMAND_NAMES } from './command-files.ts';
import { errorsPage } from './errors-page.ts';
import { exitCodesPage } from './exit-codes.ts';
import type { CliIo } from './io.ts';
import { membersPage } from './members-page.ts';
import { buildProgram } from './program.ts';

const ABOUT = `# \`portcullis\`, every command

Made from the commands' own help by \`npx tsx src/cli/docs.ts\`; a test holds it up to date. Exit codes are explained in
[exit-codes.md](exit-codes.md).
`;

/** The generated pages by path: a test compares them with what is there. */
export async function generatedDocs(): Promise<Record<string, string>> {
  return {
    'docs/cli.md': await commandPage(),
    'docs/exit-codes.md': exitCodesPage(),
    'docs/errors.md': errorsPage(),
    'docs/manifest-members.md': membersPage(),
    'docs/system.md': systemPage(),
  };
}

async function commandPage(): Promise<string> {
  const printed: string[] = [];
  const program = await buildProgram(
    new Cli(
      silentIo((text) => printed.push(text)),
      COMMAND_NAMES,
    ),
  );
  const helpOf = (command: Command): string => {
    printed.length = 0;
    command.outputHelp();
    return `\`\`\`text\n${printed.join('').trim()}\n\`\`\``;
  };
  const sectionsOf = (command: Command, name: string, level: number): string[] => [
    `${'#'.repeat(level)} ${name}\n\n${helpOf(command)}\n`,
    ...command.commands.flatMap((child) =>
      sectionsOf(child, `${name} ${child.name()}`, Math.min(3, level + 1)),
    ),
  ];
  const top = helpOf(program);
  // The options of every command stand once, at the top.
  program.configureHelp({ showGlobalOptions: false });
  for (const command of everyCommand(program)) command.configureHelp({ showGlobalOptions: false });
  const sections = program.commands.flatMap((command) =>
    sectionsOf(command, `portcullis ${command.name()}`, 2),
  );
  return [ABOUT, top, '', ...sections].join('\n');
}

const everyCommand = (command: Command): Command[] =>
  command.commands.flatMap((child) => [child, ...everyCommand(child)]);

const silentIo = (out: (text: string) => void): CliIo => ({
  env: {},
  cwd: '.',
  user: 'docs',
  interactive: false,
  columns: 80,
  program: 'portcullis',
  out,
  err: () => {},
  confirm: async () => false,
  edit: async (_, text) => text,
  now: () => new Date(0),
  interrupted: () => new AbortController().signal,
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(await generatedDocs())) {
    writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), text);
  }
}
