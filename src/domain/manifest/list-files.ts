import { isMap, isScalar, parseDocument } from 'yaml';
import type { ListEntry } from '../lists.ts';

/** A list of a manifest that stands in a file of its own, and where the text says so. */
export interface ListFile {
  name: string;
  file: string;
  start: number;
  end: number;
}

/** The lists whose entries are to be read from a file. A text that cannot be read has none: its problems are told elsewhere. */
export function listFilesOf(text: string): ListFile[] {
  const document = parseDocument(text);
  const root = document.contents;
  const lists = isMap(root) ? root.get('lists') : undefined;
  if (document.errors.length > 0 || !isMap(lists)) return [];
  return lists.items.flatMap(({ key, value }) => {
    const file = isMap(value) && value.items.length === 1 ? value.get('file') : undefined;
    if (!isScalar(key) || !isMap(value) || !value.range || typeof file !== 'string') return [];
    return [{ name: String(key.value), file, start: value.range[0], end: value.range[1] }];
  });
}

/** The text with the entries written where the files were named; the lines stay as they are numbered. */
export function withEntries(
  text: string,
  lists: readonly (ListFile & { entries: readonly ListEntry[] })[],
): string {
  let written = text;
  for (const { start, end, entries } of lists.toSorted((a, b) => b.start - a.start)) {
    const lines = written.slice(start, end).split('\n').length - 1;
    written = `${written.slice(0, start)}${JSON.stringify(entries)}${'\n'.repeat(lines)}${written.slice(end)}`;
  }
  return written;
}

/** One entry a line, as text; empty lines and what follows a `#` at the beginning of a line are left out. */
export const entriesOf = (content: string): string[] =>
  content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
