/** What somebody typed behind `/portcullis`. */
export type Command =
  | { do: 'help' }
  | { do: 'status'; agent?: string }
  | { do: 'disable' | 'enable'; scope?: string; reason: string }
  | { do: 'rollback' | 'pause' | 'resume'; agent: string; words: readonly string[] };

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

export const HELP = [
  '*What you can type:*',
  '• `/portcullis status [agent]`: what is in force, waiting and switched off',
  '• `/portcullis disable`: choose what to switch off',
  '• `/portcullis disable everything|<agent>|<agent>/<tool> <reason>`',
  '• `/portcullis enable everything|<agent>|<agent>/<tool> <reason>`',
  '• `/portcullis rollback <agent> [segment] <reason>`',
  '• `/portcullis pause <agent> <reason>` and `/portcullis resume <agent> <reason>`',
].join('\n');

/** Reads a command; what it does not understand is a call for help. */
export function parseCommand(text: string): Command {
  const [verb = '', ...words] = text.trim().split(/\s+/);
  const [first, ...rest] = words;
  switch (verb.toLowerCase()) {
    case 'status':
      if (first === undefined) return { do: 'status' };
      return rest.length === 0 && NAME.test(first) ? { do: 'status', agent: first } : { do: 'help' };
    case 'disable':
    case 'enable': {
      const verbName = verb.toLowerCase() as 'disable' | 'enable';
      if (first === undefined) return { do: verbName, reason: '' };
      const scope = scopeOf(first);
      return scope === undefined ? { do: 'help' } : { do: verbName, scope, reason: rest.join(' ') };
    }
    case 'rollback':
    case 'pause':
    case 'resume':
      if (first === undefined || !NAME.test(first)) return { do: 'help' };
      return { do: verb.toLowerCase() as 'rollback' | 'pause' | 'resume', agent: first, words: rest };
    default:
      return { do: 'help' };
  }
}

/** `everything`, `<agent>` or `<agent>/<tool>` as a switch's scope. */
function scopeOf(word: string): string | undefined {
  if (word.toLowerCase() === 'everything') return 'everything';
  const [agent = '', tool, ...more] = word.split('/');
  if (more.length > 0 || !NAME.test(agent)) return undefined;
  if (tool === undefined) return `agent/${agent}`;
  return NAME.test(tool) ? `tool/${agent}/${tool}` : undefined;
}
