import { isReservedWord } from '../cel/words.ts';
import type { DeclaredLists } from '../lists.ts';
import type { CheckProblem } from '../problem.ts';

/** What the lists of a manifest get wrong: entries of two kinds, a file nobody read, a name that cannot be written. */
export function checkLists(lists: DeclaredLists | undefined): CheckProblem[] {
  return Object.entries(lists ?? {}).flatMap(([name, list]): CheckProblem[] => {
    const path = ['lists', name];
    if (isReservedWord(name))
      return [
        {
          path,
          atKey: true,
          message: `"${name}" is a word of the condition language`,
          hint: `Rename it, for example "${name}_"`,
        },
      ];
    if (!Array.isArray(list))
      return [
        {
          path: [...path, 'file'],
          message: `The file "${list.file}" was not read: only the command line reads files`,
          hint: 'Apply it by portcullis apply, or write the entries here',
        },
      ];
    const odd = list.findIndex((entry) => typeof entry !== typeof list[0]);
    if (odd < 0) return [];
    const message = `"${name}" holds text and numbers: an entry is looked for by its kind`;
    return [{ path: [...path, odd], message, hint: 'Put all of them in quotes, or none' }];
  });
}
