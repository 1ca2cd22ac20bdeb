import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = process.platform === 'win32' ? ['portcullis.cmd', 'portcullis.exe'] : ['portcullis'];

/**
 * How this program is called here: by its name where a shell finds it, else by npx. What npm adds to the path of the
 * programs it starts is not what a shell has.
 */
export function ownName(path = ''): string {
  const folders = path
    .split(delimiter)
    .filter((folder) => folder !== '' && !/node_modules.\.bin$/.test(folder));
  const isThere = folders.some((folder) =>
    NAMES.some((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() ?? false),
  );
  return isThere ? 'portcullis' : 'npx portcullis';
}
