import type { CheckProblem, ManifestPath } from '../problem.ts';
import type { Respelled } from './yaml-traps.ts';

/** Keywords of a schema whose values are of any kind: a number there may have been meant as text. */
const ANY_VALUE: ReadonlySet<string | number> = new Set(['enum', 'const', 'default', 'examples']);

/** Numbers that stand where text is meant and are not written as they are read: `release: 1.0` would be release 1. */
export function respelledProblems(respelled: readonly Respelled[], value: unknown): CheckProblem[] {
  return respelled
    .filter(({ path }) => typeof valueAt(value, path) === 'string' || isAnyValue(path))
    .map(({ path, written }) => {
      const read = String(Number(written));
      const hint = isAnyValue(path) ? `, or write ${read} if it is a number` : '';
      return {
        path,
        message: `${written} is read as ${read}`,
        hint: `Put it in quotes: "${written}"${hint}`,
      };
    });
}

const isAnyValue = (path: ManifestPath): boolean =>
  path[0] === 'lists' ||
  (path[0] === 'tools' && path[2] === 'args' && path.slice(3).some((key) => ANY_VALUE.has(key)));

/** What stands at a path of a value; `undefined` where there is nothing. */
export function valueAt(value: unknown, path: ManifestPath): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string | number, unknown>)[key];
  }
  return here;
}
