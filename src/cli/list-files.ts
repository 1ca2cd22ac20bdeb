import { readFile, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { entriesOf, listFilesOf, withEntries } from '../domain/manifest/list-files.ts';
import { CliError } from './failure.ts';

/**
 * The text of a manifest, with the lists that stand in files beside it written in. Nothing outside its folder is read:
 * a manifest that somebody sent must not carry other files to the service.
 * @throws CliError `usage`
 */
export async function readManifestText(file: string, cwd: string): Promise<string> {
  const path = resolve(cwd, file);
  const text = await readFile(path, 'utf8');
  const found = listFilesOf(text);
  const lists = [];
  for (const list of found) lists.push({ ...list, entries: entriesOf(await readBeside(path, file, list)) });
  return lists.length === 0 ? text : withEntries(text, lists);
}

async function readBeside(
  manifest: string,
  shown: string,
  { name, file }: { name: string; file: string },
): Promise<string> {
  const what = `Cannot read lists.${name} of ${shown} from "${file}"`;
  const path = resolve(dirname(manifest), file);
  try {
    const [folder, real] = await Promise.all([realpath(dirname(manifest)), realpath(path)]);
    const inside = relative(folder, real);
    if (isAbsolute(file) || inside.startsWith('..') || isAbsolute(inside))
      throw new CliError('usage', `${what}: it is not in the folder of the manifest`, {
        hint: 'Put the file beside the manifest, and name it from there',
      });
    return await readFile(real, 'utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError('usage', `${what}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      hint: 'Names count from the folder of the manifest',
      cause: error,
    });
  }
}
