import { COMMAND_GROUPS } from '../command-files.ts';
import { displayWidth } from './render.ts';

const NAMES = COMMAND_GROUPS.flatMap(([, files]) => files.flatMap(({ names }) => names)).join('|');
/** The program in a hint, and not Slack's `/portcullis` nor a file of that name. */
const PROGRAM = new RegExp(`(?<![\\w/.-]|npx )portcullis(?= (?:${NAMES})\\b)`, 'g');
const COMMAND_LINE = /^ *(\$ )?(npx )?portcullis /;

/** The text with commands as they can be typed here; a line of prose that becomes too long is broken. */
export function asTypedHere(text: string, program: string, width: number): string {
  if (program === 'portcullis') return text;
  return text
    .split('\n')
    .flatMap((line) => {
      const named = line.replace(PROGRAM, program);
      return named === line || displayWidth(named) <= width || COMMAND_LINE.test(named)
        ? [named]
        : broken(named, width);
    })
    .join('\n');
}

/** Two lines, the second one below the first word of the text in the first. */
function broken(line: string, width: number): string[] {
  const at = line.lastIndexOf(' ', width);
  const indent = /^\s*(?:-> |- |[A-Z][\w ]*? {2,}|\w+ {2,})?/.exec(line)?.[0].length ?? 0;
  return at <= indent ? [line] : [line.slice(0, at), `${' '.repeat(indent)}${line.slice(at + 1)}`];
}
