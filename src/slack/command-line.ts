import { isUuid } from '../db/uuid.ts';
import { DURATION_PATTERN } from '../domain/duration.ts';
import { NAME_PATTERN } from '../domain/name.ts';
import { suggest } from '../domain/nearest.ts';
import { scopeText, typedScope } from '../domain/scope.ts';

/** What somebody typed behind `/portcullis`. */
export type Command =
  | { do: 'help' }
  | { do: 'unknown'; word: string }
  | { do: 'status'; agent?: string }
  | { do: 'approvals' }
  | { do: 'deputies' }
  /** `to` is a name, `@name`, or what Slack makes of a mention. */
  | { do: 'deputy'; agent: string; to: string; time: string; group?: string; reason: string }
  | { do: 'deputy-end'; id: string }
  | { do: 'disable' | 'enable'; scope?: string; reason: string }
  /** `which` is an agent or the id of a rollout. */
  | { do: 'rollback' | 'pause' | 'resume'; which: string; words: readonly string[] };

const VERBS = ['help', 'status', 'approvals', 'disable', 'enable', 'rollback', 'pause', 'resume', 'deputy'];
const PERSON = /^(?:<[^<>\s]+>|@?[^<>\s]+)$/;
/** The id of a rollout may be longer than a name. */
const ROLLOUT_OR_AGENT = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$/;
const WORD_MAX = 30;

export const HELP = [
  '*What you can type:*',
  '• `/portcullis status [agent]`: what is in force, waiting and switched off',
  '• `/portcullis approvals`: what waits for you',
  '• `/portcullis disable`: choose what to switch off',
  '• `/portcullis disable everything|<agent>|<agent>/<tool> <reason>`',
  '• `/portcullis enable everything|<agent>|<agent>/<tool> <reason>`',
  '• `/portcullis rollback <agent>|<rollout> [segment] <reason>`',
  '• `/portcullis pause <agent> <reason>` and `/portcullis resume <agent> <reason>`',
  '• `/portcullis deputy`: who answers for whom',
  '• `/portcullis deputy <agent> <person> <time> [in <group>] <reason>`: lets somebody answer for you, as `deputy desk ben 3d vacation`',
  '• `/portcullis deputy end <id>`',
].join('\n');

/** Reads a command; what it does not understand of a known one is a call for help. */
export function parseCommand(text: string): Command {
  const [verb = '', ...words] = text.trim().split(/\s+/);
  const [first, ...rest] = words;
  switch (verb.toLowerCase()) {
    case 'status':
      if (first === undefined) return { do: 'status' };
      return rest.length === 0 && NAME_PATTERN.test(first) ? { do: 'status', agent: first } : { do: 'help' };
    case 'approvals':
      return first === undefined ? { do: 'approvals' } : { do: 'help' };
    case 'deputy':
      return deputyOf(words);
    case 'disable':
    case 'enable': {
      const verbName = verb.toLowerCase() as 'disable' | 'enable';
      if (first === undefined) return { do: verbName, reason: '' };
      const scope = typedScope(first);
      return scope ? { do: verbName, scope: scopeText(scope), reason: rest.join(' ') } : { do: 'help' };
    }
    case 'rollback':
    case 'pause':
    case 'resume':
      if (first === undefined || !ROLLOUT_OR_AGENT.test(first)) return { do: 'help' };
      return { do: verb.toLowerCase() as 'rollback' | 'pause' | 'resume', which: first, words: rest };
    case '':
    case 'help':
      return { do: 'help' };
    default:
      return { do: 'unknown', word: verb };
  }
}

/** That there is no such command, and what may have been meant; plain text. */
export const unknownText = (word: string): string =>
  `There is no "${[...word].slice(0, WORD_MAX).join('')}": ${suggest(word.toLowerCase(), VERBS)}`;

/** `end <id>`, or `<agent> <person> <time> [in <group>] <reason>`; nothing is a question for the list. */
function deputyOf(words: readonly string[]): Command {
  const [agent, to = '', time = '', ...rest] = words;
  if (agent === undefined) return { do: 'deputies' };
  if (words.length === 2 && agent === 'end')
    return isUuid(to) ? { do: 'deputy-end', id: to } : { do: 'help' };
  const group = rest[0] === 'in' ? rest[1] : undefined;
  const reason = rest.slice(group === undefined ? 0 : 2).join(' ');
  const names = [agent, ...(group === undefined ? [] : [group])];
  if (
    !names.every((name) => NAME_PATTERN.test(name)) ||
    !PERSON.test(to) ||
    !DURATION_PATTERN.test(time) ||
    reason === ''
  )
    return { do: 'help' };
  return { do: 'deputy', agent, to, time, ...(group === undefined ? {} : { group }), reason };
}
