/** One command and what may follow it. */
export interface Completed {
  /** The words that name it, without the program. */
  words: string[];
  flags: { flag: string; about: string; values?: readonly string[]; takesValue?: boolean }[];
  next: { word: string; about: string }[];
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const valuesOf = (commands: readonly Completed[]): [string, readonly string[]][] => [
  ...new Map(
    commands.flatMap(({ flags }) =>
      flags.flatMap(({ flag, values }) => (values ? [[flag, values] as const] : [])),
    ),
  ),
];
const takingValues = (commands: readonly Completed[]): string[] => [
  ...new Set(commands.flatMap(({ flags }) => flags.flatMap((one) => (one.takesValue ? [one.flag] : [])))),
];

const namesOf = (commands: readonly Completed[]): string[] =>
  commands.flatMap(({ words }) => (words.length > 0 ? [quoted(words.join(' '))] : []));

/** The command that the words so far name, options and arguments left out; the same in bash and zsh. */
const wordsSoFar = (commands: readonly Completed[], words: string): string => `  local named='' skip='' word
  for word in ${words}; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${takingValues(commands).join('|')}) skip=1 ;;
      -*) ;;
      *) case "\${named:+$named }$word" in ${namesOf(commands).join('|')}) named="\${named:+$named }$word" ;; esac ;;
    esac
  done`;

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(
    ({ words, flags, next }) =>
      `    ${quoted(words.join(' '))}) next=${quoted(next.map(({ word }) => word).join(' '))} flags=${quoted(flags.map(({ flag }) => flag).join(' '))} ;;`,
  );
  const values = valuesOf(commands).map(
    ([flag, choices]) =>
      `    ${flag}) COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$current")); return ;;`,
  );
  return `# bash completion of portcullis: portcullis completion bash
_portcullis() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} next='' flags=''
  case $before in
${values.join('\n')}
  esac
${wordsSoFar(commands, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case $named in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [[ -n $next ]]; then COMPREPLY=($(compgen -W "$next" -- "$current"))
  else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _portcullis portcullis
`;
}

function zsh(commands: readonly Completed[]): string {
  const described = (word: string, about: string): string =>
    quoted(`${word.replaceAll(':', '\\:')}:${about.replaceAll('\n', ' ')}`);
  const cases = commands.map(
    ({ words, flags, next }) => `    ${quoted(words.join(' '))})
      next=(${next.map(({ word, about }) => described(word, about)).join(' ')})
      flags=(${flags.map(({ flag, about }) => described(flag, about)).join(' ')}) ;;`,
  );
  const values = valuesOf(commands).map(
    ([flag, choices]) => `    ${flag}) compadd -- ${choices.join(' ')}; return ;;`,
  );
  return `#compdef portcullis
# zsh completion of portcullis: portcullis completion zsh
_portcullis() {
  local -a next flags
  case \${words[CURRENT-1]} in
${values.join('\n')}
  esac
${wordsSoFar(commands, `"\${(@)words[2,CURRENT-1]}"`)}
  case $named in
${cases.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe option flags
  elif (( \${#next} )); then _describe command next
  else _files; fi
}
compdef _portcullis portcullis
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ words, flags, next }) => {
    const when = `-n ${quoted(`__portcullis_at ${words.join(' ')}`.trim())}`;
    return [
      ...next.map(
        ({ word, about }) => `complete -c portcullis -f ${when} -a ${quoted(word)} -d ${quoted(about)}`,
      ),
      ...flags.map(({ flag, about, values, takesValue }) => {
        const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
        const choices = values ? ` -x -a ${quoted(values.join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c portcullis ${when} ${name}${choices} -d ${quoted(about)}`;
      }),
    ];
  });
  return `# fish completion of portcullis: portcullis completion fish
function __portcullis_at
  set -l named ''
  set -l skip ''
  for word in (commandline -opc)[2..-1]
    if test -n "$skip"; set skip ''; continue; end
    switch $word
      case ${takingValues(commands).join(' ')}
        set skip 1
      case '-*'
      case '*'
        set -l longer (string trim -- "$named $word")
        if contains -- $longer ${namesOf(commands).join(' ')}; set named $longer; end
    end
  end
  test "$named" = "$argv"
end
${lines.join('\n')}
`;
}

/** A script for each shell, made from the commands themselves. */
export const COMPLETIONS = { bash, zsh, fish } as const satisfies Record<
  string,
  (commands: readonly Completed[]) => string
>;
