import type { IdKind } from '../records/id-prefix.ts';
import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';

export { shortId, shortIds } from './text/ids.ts';

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BEGINNING = /^[0-9a-f]{4,8}$|^[0-9a-f]{8}-[0-9a-f-]*$/i;
const WORDS: Readonly<Record<IdKind, { name: string; list: string }>> = {
  action: { name: 'action', list: 'portcullis action list' },
  deputy: { name: 'deputy', list: 'portcullis deputy list <agent>' },
  standing_approval: { name: 'standing approval', list: 'portcullis approvals standing list --all' },
  token: { name: 'token', list: 'portcullis token list' },
};

export const isWholeId = (text: string): boolean => WHOLE.test(text);
/** Whether the text may be the beginning of an id. */
export const isIdBeginning = (text: string): boolean => BEGINNING.test(text);

/**
 * The id that somebody typed, or its beginning as lists show it.
 * @throws CliError `usage` when nothing begins so, or several do
 */
export async function wholeId(cli: Cli, kind: IdKind, text: string): Promise<string> {
  if (isWholeId(text)) return text.toLowerCase();
  const { name, list } = WORDS[kind];
  const ids = isIdBeginning(text) ? await beginning(cli, kind, text) : [];
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined)
    throw new CliError('usage', `There is no ${name} "${text}"`, {
      code: 'not_found',
      hint: `Write its id, or so much of it as is unique: ${list} shows them`,
    });
  throw new CliError(
    'usage',
    `"${text}" may mean ${ids.length === 2 ? 'both' : 'any of'} ${ids.join(', ')}`,
    {
      hint: 'Write more of it',
    },
  );
}

export const wholeIds = (cli: Cli, kind: IdKind, texts: readonly string[]): Promise<string[]> =>
  Promise.all(texts.map((text) => wholeId(cli, kind, text)));

async function beginning(cli: Cli, kind: IdKind, text: string): Promise<string[]> {
  try {
    return (await cli.api.get<{ ids: string[] }>(`/v1/ids/${kind}/${text.toLowerCase()}`)).ids;
  } catch (error) {
    if (error instanceof CliError && error.code === 'not_found') return [];
    throw error;
  }
}
