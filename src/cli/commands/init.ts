import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { personFrom } from '../../domain/agent.ts';
import { type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { AGENT_FILE, agentYaml, RELEASE_FILE, releaseYaml, SCHEMA_FOLDER } from '../first-manifests.ts';
import { command, paragraph, sections } from '../text/render.ts';

interface InitOptions {
  agent: string;
  person?: string;
  dir: string;
  force?: boolean;
}

/** `portcullis init`. */
export const registerInit: RegisterCommands = (program, cli) => {
  const init = program
    .command('init')
    .summary('write the two manifests of a first governed tool')
    .description(
      'Writes agent.yaml and release-1.yaml: one agent, one tool that writes, the segment "default", and you as owner and approver. Needs no service.',
    )
    .option('--agent <name>', 'the name of the agent', 'my-agent')
    .option('--person <id>', 'you (default: the name of your account)')
    .option('--dir <folder>', 'where to write', '.')
    .option('--force', 'overwrite files that are there')
    .action(async ({ agent, person = personFrom(cli.io.user), dir, force }: InitOptions) => {
      const folder = resolve(cli.io.cwd, dir);
      const manifests = { [AGENT_FILE]: agentYaml(agent, person), [RELEASE_FILE]: releaseYaml(agent) };
      await assertValid(manifests, agent, person);
      const there = Object.keys(manifests).filter((name) => existsSync(join(folder, name)));
      if (there.length > 0 && !force) {
        throw new CliError('refused', `Cannot write ${there.join(' and ')}: already there`, {
          hint: 'Choose another --dir, or overwrite with --force',
        });
      }
      await mkdir(folder, { recursive: true });
      for (const [name, text] of Object.entries(manifests)) await writeFile(join(folder, name), text);
      await writeSchemas(folder);
      const files = Object.keys(manifests).map((name) => relative(cli.io.cwd, join(folder, name)));
      const next = [
        'portcullis up',
        `portcullis apply ${files.join(' ')}`,
        `portcullis adopt ${agent} 1 --reason "First tool"`,
      ];
      cli.print({ files, agent, person, testMode: true, next }, () => initText(files, person, next));
    });
  withExample(init, 'portcullis init --agent mailer --person ana');
};

/** Names that do not fit are said before anything is written. */
async function assertValid(manifests: Record<string, string>, agent: string, person: string): Promise<void> {
  const { nameSchema } = await import('../../domain/agent.ts');
  for (const [option, name] of [
    ['--agent', agent],
    ['--person', person],
  ] as const) {
    if (!nameSchema.safeParse(name).success) {
      const hint = 'A name is 1-63 letters, digits, ".", "_" or "-", and begins with a letter or digit';
      throw new CliError('usage', `${option}: "${name}" is not a name`, { hint });
    }
  }
  const { formatProblems, readManifest } = await import('../../domain/manifest/manifest.ts');
  const read = readManifest(AGENT_FILE, manifests[AGENT_FILE] ?? '', 'agent');
  if (!read.ok) throw new CliError('usage', formatProblems(read.problems));
}

/** So that editors complete and check while one types. */
async function writeSchemas(folder: string): Promise<void> {
  const { manifestJsonSchema } = await import('../../domain/manifest/json-schemas.ts');
  await mkdir(join(folder, SCHEMA_FOLDER), { recursive: true });
  for (const kind of ['agent', 'release'] as const) {
    const text = `${JSON.stringify(manifestJsonSchema(kind), null, 2)}\n`;
    await writeFile(join(folder, SCHEMA_FOLDER, `${kind}.json`), text);
  }
}

const initText = (files: readonly string[], person: string, [up = '', ...rest]: readonly string[]): string =>
  sections(
    paragraph(`Wrote ${files.join(' and ')}: one tool, and ${person} owns it and approves (testMode).`),
    `Next:\n${command(`${up}      # in another terminal`)}\n${rest.map(command).join('\n')}`,
  );
