import { z } from 'zod';

const LIST_ENTRIES_MAX = 10_000;
const ENTRY_LENGTH_MAX = 500;

const entrySchema = z.union([z.string().min(1).max(ENTRY_LENGTH_MAX), z.int()]);

/** Named values that conditions of the same manifest may ask for, as `lists.<name>`. */
export const listsSchema = z.record(
  z.string().regex(/^[a-zA-Z_]\w*$/),
  z.union([
    z.array(entrySchema).max(LIST_ENTRIES_MAX),
    z.strictObject({ file: z.string().min(1).describe('Beside the manifest, one entry a line') }),
  ]),
);

export type ListEntry = z.infer<typeof entrySchema>;
/** As a manifest holds them; a file stands there only until the command line has read it. */
export type DeclaredLists = z.infer<typeof listsSchema>;
/** The entries themselves. */
export type NamedLists = Readonly<Record<string, readonly ListEntry[]>>;

/** The lists that are there with their entries; one whose file was not read is none, and a condition on it fails. */
export const listsOf = (manifest: { lists?: DeclaredLists | undefined }): NamedLists =>
  Object.fromEntries(
    Object.entries(manifest.lists ?? {}).flatMap(([name, list]) =>
      Array.isArray(list) ? [[name, list] as const] : [],
    ),
  );

/** The lists that a condition may depend on: those it names, and all of them where it names none by a name. */
export function listsIn(condition: string, lists: NamedLists): NamedLists {
  if (!/\blists\b/.test(condition)) return {};
  const named = Object.entries(lists).filter(([name]) => new RegExp(`\\b${name}\\b`).test(condition));
  return named.length > 0 ? Object.fromEntries(named) : lists;
}
