import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './domain.ts';
import type { Mutant } from './instrument.ts';

const FOLDER = 'src/db/functions';

/** A change of one SQL function, and how it stands without it. */
export interface SqlMutant extends Mutant {
  original: string;
  changed: string;
}

/** Words and signs, and what may stand in their place. What does not fit is refused by the store and not counted. */
const CHANGES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(?<= )=(?= )/g, ['<>']],
  [/(?<= )<>(?= )/g, ['=']],
  [/(?<= )<(?= )/g, ['<=', '>=']],
  [/(?<= )<=(?= )/g, ['<', '>']],
  [/(?<= )>(?= )/g, ['>=', '<=']],
  [/(?<= )>=(?= )/g, ['>', '<']],
  [/(?<= )\+(?= )/g, ['-']],
  [/(?<= )-(?= )/g, ['+']],
  [/\bAND\b/g, ['OR']],
  [/\bOR\b(?! REPLACE)/g, ['AND']],
  [/\bNOT EXISTS\b/g, ['EXISTS']],
  [/(?<!NOT )\bEXISTS\b/g, ['NOT EXISTS']],
  [/\bIS NOT NULL\b/g, ['IS NULL']],
  [/\bIS NULL\b/g, ['IS NOT NULL']],
  [/\bIS DISTINCT FROM\b/g, ['IS NOT DISTINCT FROM']],
  [/\bIF NOT\b/g, ['IF']],
  [/\btrue\b/g, ['false']],
  [/\bfalse\b/g, ['true']],
  [/\bgreatest\(/g, ['least(']],
  [/\bleast\(/g, ['greatest(']],
  [/\bmax\(/g, ['min(']],
  [/\bmin\(/g, ['max(']],
  [/\bDESC\b/g, ['ASC']],
  [/\bFOR (KEY SHARE|UPDATE)\b/g, ['']],
  // Of `SELECT 1` nobody reads the number.
  [/(?<![\w.'])(?<!\b(?:SELECT|PERFORM) )\d+(?![\w.'])/g, ['$& + 1']],
  [/\bPERFORM [^;]*;/g, ['NULL;']],
  [/\b(?:INSERT INTO|UPDATE|DELETE FROM) [^;$]*;/g, ['NULL;']],
];

/** Every change of every function, in the order of the files. */
export function sqlMutants(): SqlMutant[] {
  const mutants: SqlMutant[] = [];
  for (const name of readdirSync(join(ROOT, FOLDER)).sort()) {
    const file = `${FOLDER}/${name}`;
    const text = readFileSync(join(ROOT, file), 'utf8');
    let at = 0;
    for (const statement of text.split(/^---$/m)) {
      if (/^CREATE FUNCTION/m.test(statement)) mutants.push(...changesOf(statement, file, lineOf(text, at)));
      at += statement.length + '---'.length;
    }
  }
  return mutants.map((mutant, id) => ({ ...mutant, id }));
}

function changesOf(statement: string, file: string, firstLine: number): SqlMutant[] {
  const bodyAt = statement.indexOf('$$');
  const name = /^CREATE FUNCTION (\w+)/m.exec(statement)?.[1] ?? '';
  const code = masked(statement);
  return CHANGES.flatMap(([pattern, changes]) =>
    [...code.matchAll(pattern)]
      .filter(({ index }) => index > bodyAt)
      .flatMap(({ 0: found, index }) =>
        changes.map((change) => {
          const from = statement.slice(index, index + found.length);
          const to = change.replace('$&', from);
          const changed = statement.slice(0, index) + to + statement.slice(index + found.length);
          const line = firstLine + lineOf(statement, index) - 1;
          const context = statement.slice(Math.max(0, index - 25), index + found.length + 25);
          return {
            id: 0,
            file,
            line,
            name,
            from: context.replace(/\s+/g, ' '),
            to: to === '' ? '(nothing)' : to,
            original: replacing(statement),
            changed: replacing(changed),
          };
        }),
      ),
  );
}

const replacing = (statement: string): string =>
  statement.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');
const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/** As long as before, without what stands in comments and in quotes. */
const masked = (statement: string): string =>
  statement.replace(/--[^\n]*|'[^']*'/g, (found) => found.replace(/[^\n]/g, '_'));
