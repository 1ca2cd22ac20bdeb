import { type RegisterCommands, withExample } from '../cli.ts';
import { command, paragraph, sections } from '../text/render.ts';

interface Adopted {
  agent: string;
  version: string;
  segments: string[];
}

/** `portcullis adopt`. */
export const registerAdopt: RegisterCommands = (program, cli) => {
  const adopt = program
    .command('adopt')
    .summary('put a release in force at once')
    .description(
      'Puts a release in force at once: the very first one, if every write in it asks a person, or a later one that only takes away.',
    )
    .argument('<agent>', 'the agent')
    .argument('<release>', 'the version of an applied release')
    .requiredOption('--reason <text>', 'why; it is kept in the log')
    .action(async (agent: string, release: string, { reason }: { reason: string }) => {
      const path = `/v1/agents/${encodeURIComponent(agent)}/releases/${encodeURIComponent(release)}/adopt`;
      const adopted = await cli.api.post<Adopted>(path, { reason });
      cli.print(adopted, () => adoptedText(adopted));
    });
  withExample(adopt, 'portcullis adopt my-agent 1 --reason "First tool, every e-mail is asked for"');
};

const adoptedText = ({ agent, version, segments }: Adopted): string =>
  sections(
    paragraph(`Release ${version} of ${agent} is in force in ${segments.join(', ')}.`),
    `Next: ask as the agent would, then approve it\n${command(
      `portcullis action ask ${agent} <tool> --args '{...}' --reason "..."`,
    )}\n${command('portcullis action list --state pending')}`,
  );
