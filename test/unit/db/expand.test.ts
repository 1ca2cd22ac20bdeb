import { expect, test } from 'vitest';
import { migrationSteps } from '../../../src/db/migration-steps.ts';
import { narrowings } from '../../support/expand.ts';

/** The first version that others come after: until it an upgrade stopped the service. */
const FIRST = '0017';

test('a migration takes nothing away from the service of the version before', () => {
  const wrong = migrationSteps()
    .filter(({ name }) => name >= FIRST)
    .flatMap(({ name, statements }) => narrowings(statements).map((problem) => `${name} ${problem}`));
  expect(wrong).toEqual([]);
});

test.each([
  'ALTER TABLE action DROP COLUMN summary',
  'ALTER TABLE action\n  ADD COLUMN a int,\n  DROP COLUMN summary',
  'ALTER TABLE action RENAME COLUMN summary TO told',
  'ALTER TABLE action RENAME TO asked',
  'ALTER TABLE action ALTER COLUMN summary TYPE jsonb USING summary::jsonb',
  'ALTER TABLE action ALTER COLUMN why SET NOT NULL',
  'ALTER TABLE action ADD COLUMN a text NOT NULL',
  'ALTER TABLE action ADD COLUMN a text DEFAULT NULL, ADD COLUMN b int NOT NULL',
  'ALTER TABLE action ADD CONSTRAINT a CHECK (n > 0)',
  'CREATE UNIQUE INDEX CONCURRENTLY a ON action (summary)',
  'CREATE INDEX a ON action (summary)',
  'DROP TABLE card',
  'UPDATE action SET summary = NULL',
  '-- contract: short\nDROP TABLE card',
])('refused: %s', (statement) => expect(narrowings([statement])).not.toEqual([]));

test.each([
  ['a column with a default', "ALTER TABLE action ADD COLUMN a text NOT NULL DEFAULT ''"],
  ['a column that may be empty', 'ALTER TABLE action ADD COLUMN a numeric(10, 2)'],
  ['an index beside everyday work', 'CREATE INDEX CONCURRENTLY a ON action (summary)'],
  ['a new table', 'CREATE TABLE more (id int PRIMARY KEY, at timestamptz NOT NULL)'],
  [
    'what says why',
    '-- contract: nothing of 0.2.0 names it any more\nALTER TABLE action DROP COLUMN summary',
  ],
])('taken: %s', (_, statement) => expect(narrowings([statement])).toEqual([]));

test('an index of a table that is made with it is taken', () =>
  expect(narrowings(['CREATE TABLE more (id int)', 'CREATE UNIQUE INDEX more_by_id ON more (id)'])).toEqual(
    [],
  ));
