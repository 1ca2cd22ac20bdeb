import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../../src/domain/schema/json-schema.ts';
import { compileSchema } from '../../../src/domain/schema/schema.ts';
import { readSchemaSuite, type SuiteGroup } from '../../support/schema-suite.ts';
import { OTHER_ANSWERS, REFUSED_SCHEMAS } from './refused-schemas.ts';

const DIALECTS: Readonly<Record<string, string>> = {
  'draft2020-12': 'https://json-schema.org/draft/2020-12/schema',
  draft7: 'http://json-schema.org/draft-07/schema#',
};

interface Tally {
  green: number;
  other: string[];
  wrong: string[];
  refused: { group: string; cases: number; words: string[] }[];
}

/** Each folder of the suite with its counts, so that nothing leaves the green ones unseen. */
const FOLDERS = [
  { draft: 'draft2020-12', below: '', green: 1_110, other: 15, refused: 132 },
  { draft: 'draft7', below: '', green: 862, other: 0, refused: 51 },
  { draft: 'draft2020-12', below: 'optional', green: 106, other: 0, refused: 52 },
  { draft: 'draft7', below: 'optional', green: 103, other: 0, refused: 15 },
  { draft: 'draft2020-12', below: 'optional/format', green: 376, other: 5, refused: 110 },
  { draft: 'draft7', below: 'optional/format', green: 325, other: 0, refused: 109 },
];
const groups = await Promise.all(FOLDERS.map(({ draft, below }) => readSchemaSuite(draft, below)));

describe.each(FOLDERS.map((folder, at) => ({ ...folder, at })))(
  'the official test suite, $draft/$below',
  ({ draft, green, other, refused, at }) => {
    const tallied = () => run(groups[at] ?? [], DIALECTS[draft] ?? '');

    test('every case is answered as the suite says, or listed', () => {
      const tally = tallied();
      expect(tally.wrong).toEqual([]);
      expect({ green: tally.green, other: tally.other.length }).toEqual({ green, other });
    });

    test('every schema that is refused is refused for a listed reason', () => {
      const tally = tallied();
      const unlisted = tally.refused.filter(
        ({ words }) => !words.every((one) => reasonFor(one) !== undefined),
      );
      expect(unlisted).toEqual([]);
      expect(tally.refused.reduce((sum, { cases }) => sum + cases, 0)).toBe(refused);
    });
  },
);

test('every listed reason is needed', () => {
  const all = groups.map((folder, at) => run(folder, DIALECTS[FOLDERS[at]?.draft ?? ''] ?? ''));
  const words = all.flatMap(({ refused }) => refused.flatMap((one) => one.words));
  expect(REFUSED_SCHEMAS.filter(({ says }) => !words.some((one) => says.test(one)))).toEqual([]);
  const cases = all.flatMap(({ other }) => other);
  const needed = OTHER_ANSWERS.filter((one) => cases.some((line) => listed(line, one)));
  expect(needed).toEqual(OTHER_ANSWERS);
});

const reasonFor = (words: string): string | undefined =>
  REFUSED_SCHEMAS.find(({ says }) => says.test(words))?.why;

const listed = (line: string, { file, cases }: (typeof OTHER_ANSWERS)[number]): boolean => {
  const [from, , description = ''] = line.split(' | ');
  return from === file && cases.test(description);
};

function run(folder: readonly SuiteGroup[], dialect: string): Tally {
  const tally: Tally = { green: 0, other: [], wrong: [], refused: [] };
  for (const { file, name, schema, cases } of folder) {
    const given = typeof schema === 'boolean' ? schema : { $schema: dialect, ...(schema as JsonSchema) };
    const compiled = compileSchema(given);
    if (!compiled.ok) {
      const words = compiled.problems.map(({ message }) => message);
      tally.refused.push({ group: `${file}: ${name}`, cases: cases.length, words });
      continue;
    }
    for (const { description, data, valid } of cases) {
      const line = `${file} | ${name} | ${description}`;
      if ((compiled.misfit(data) === undefined) === valid) tally.green++;
      else if (OTHER_ANSWERS.some((one) => listed(line, one))) tally.other.push(line);
      else tally.wrong.push(line);
    }
  }
  return tally;
}
