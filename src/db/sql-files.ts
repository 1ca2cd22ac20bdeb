import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The statements of every SQL file below a folder, however deep, in the order of the files' names; `takes` chooses among
 * them. Within a file a line of `---` stands between two.
 */
export function readStatements(folder: string, takes: (file: string) => boolean = () => true): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.sql') && takes(file))
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split(/^---$/m))
    .map((statement) => statement.trim());
}
