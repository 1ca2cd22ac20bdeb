import { displayWidth } from './render.ts';

/** The program in a hint, and not Slack's `/portcullis` nor a file of that name. */
const programBefore = (commands: readonly string[]): RegExp =>
  new RegExp(`(?<![\\w/.-]|npx )portcullis(?= (?:${commands.join('|')})\\b)`, 'g');
const COMMAND_LINE = /^ *(\$ )?(npx )?portcullis /;

/** The text with commands as they can be typed here; prose that becomes too long flows on into the lines below. */
export function asTypedHere(
  text: string,
  { program, columns: width }: { program: string; columns: number },
  commands: readonly string[],
): string {
  if (program === 'portcullis') return text;
  const named = programBefore(commands);
  const lines: string[] = [];
  let over: { indent: string; words: string } | undefined;
  for (const line of text.split('\n')) {
    const goesOn = over && line.trim() !== '' && indentOf(line) === over.indent;
    if (over && !goesOn) lines.push(over.indent + over.words);
    const typed = line.replace(named, program);
    const whole = over && goesOn ? `${over.indent}${over.words} ${typed.trimStart()}` : typed;
    over = undefined;
    if (whole === line || displayWidth(whole) <= width || COMMAND_LINE.test(whole)) lines.push(whole);
    else {
      const [kept, ...rest] = broken(whole, width);
      lines.push(kept);
      if (rest[0] !== undefined) over = { indent: hangingOf(whole), words: rest[0] };
    }
  }
  if (over) lines.push(over.indent + over.words);
  return lines.join('\n');
}

const indentOf = (line: string): string => /^ */.exec(line)?.[0] ?? '';

/** What the lines below begin with: they stand below the first word of the text, not below a label or a bullet. */
const hangingOf = (line: string): string =>
  ' '.repeat(/^\s*(?:-> |- |[A-Z][\w ]*? {2,}|\w+ {2,})?/.exec(line)?.[0].length ?? 0);

function broken(line: string, width: number): [string, string?] {
  const at = line.lastIndexOf(' ', width);
  return at <= hangingOf(line).length ? [line] : [line.slice(0, at), line.slice(at + 1)];
}
