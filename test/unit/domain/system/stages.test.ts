import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAILED_STAGE, failedStage } from '../../../../src/domain/system/mechanisms.ts';
import { systemPage } from '../../../../src/domain/system/page.ts';
import { COLUMNS, STAGE_IDS, STAGES } from '../../../../src/domain/system/stages.ts';

const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s/g, '-');

// Red without a stage, a word of it, the page it names, its anchor or its test: the table itself is the guard.
test('every stage is there once, with inputs, outputs, boundary, what it does when broken, and where to look', () => {
  expect(STAGES.map(({ id }) => id)).toEqual([...STAGE_IDS]);
  expect(COLUMNS.map((column) => STAGES.filter((stage) => stage.column === column).length)).toEqual([
    4, 4, 5, 4,
  ]);
  for (const { lookAt, column, id, owner, ...words } of STAGES) {
    for (const [name, said] of Object.entries(words))
      expect(String(said).length, `${id} ${name}`).toBeGreaterThan(2);
    const [file = '', anchor] = lookAt.doc.split('#');
    expect(existsSync(file), `${id}: ${file}`).toBe(true);
    expect(existsSync(lookAt.test), `${id}: ${lookAt.test}`).toBe(true);
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, one]) =>
      slug(one ?? ''),
    );
    if (anchor !== undefined) expect(headings, `${id}: ${lookAt.doc}`).toContain(anchor);
  }
});

test('docs/system.md is made from the same table (npx tsx src/cli/docs.ts)', () => {
  expect(readFileSync('docs/system.md', 'utf8')).toBe(systemPage());
});

test('each of the fourteen mechanisms marks one stage; what is not classified marks none', () => {
  expect(Object.keys(FAILED_STAGE)).toHaveLength(14);
  for (const [mechanism, stage] of Object.entries(FAILED_STAGE)) expect(failedStage(mechanism)).toBe(stage);
  for (const none of [null, undefined, 'unclassified', 'toString', '__proto__'])
    expect(failedStage(none)).toBeUndefined();
});
