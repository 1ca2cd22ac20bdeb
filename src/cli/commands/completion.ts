import { Argument, type Command } from 'commander';
import { type RegisterCommands, withExample } from '../cli.ts';
import { COMPLETIONS, type Completed } from '../text/completion.ts';

type Shell = keyof typeof COMPLETIONS;

/** `portcullis completion`: what a shell needs to complete commands and options. */
export const registerCompletion: RegisterCommands = (program, cli) => {
  const completion = program
    .command('completion')
    .summary('print what your shell needs to complete commands')
    .description('Prints a script that completes commands and options in your shell. Needs no service.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(COMPLETIONS)))
    .action((shell: Shell) => void cli.io.out(COMPLETIONS[shell](completed(program))));
  withExample(
    completion,
    'portcullis completion bash > ~/.local/share/bash-completion/completions/portcullis',
    'portcullis completion zsh > ~/.zsh/_portcullis',
    'portcullis completion fish > ~/.config/fish/completions/portcullis.fish',
  );
};

/** Every command by its words, with what may follow it. */
function completed(
  command: Command,
  words: readonly string[] = [],
  above: readonly Flag[] = [],
): Completed[] {
  const flags = [...above, ...command.options.map(flagOf), { flag: '--help', about: 'its help' }];
  const children = command.commands.filter((child) => child.name() !== 'help');
  const arguments_ = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const own: Completed = {
    words: [...words],
    flags: flags.filter(({ flag }, at) => flags.findIndex((other) => other.flag === flag) === at),
    next: [
      ...children.map((child) => ({ word: child.name(), about: child.summary() })),
      ...arguments_.map((word) => ({ word, about: '' })),
    ],
  };
  const global = words.length === 0 ? command.options.map(flagOf) : above;
  return [own, ...children.flatMap((child) => completed(child, [...words, child.name()], global))];
}

type Flag = Completed['flags'][number];

const flagOf = ({ long, short, description, argChoices, required }: Command['options'][number]): Flag => ({
  flag: long ?? short ?? '',
  about: description,
  ...(argChoices ? { values: argChoices } : {}),
  ...(required ? { takesValue: true } : {}),
});
