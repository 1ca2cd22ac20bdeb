import { join } from 'node:path';
import { test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { domainTests, instrumented, ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { isNoticed, learn } from './run.ts';
import { mutants as switchboard } from './switch.ts';

const TEST_MS_MAX = 2_000;
const only = process.env.MUTATE ?? '';
const every = Number(process.env.MUTATE_EVERY ?? 1);

test('mutants of src/domain', async () => {
  const tests: Collected[] = [];
  for (const file of domainTests()) tests.push(...(await collect(file, () => import(join(ROOT, file)))));
  const atLoad = new Set(switchboard.hits);
  const known = await learn(tests, TEST_MS_MAX);
  const inTests = new Set(known.flatMap(({ hits }) => [...hits]));
  const outcomes: Outcome[] = [];
  for (const [file, { mutants }] of instrumented()) {
    if (!file.includes(only)) continue;
    for (const mutant of mutants.filter(({ id }) => id % every === 0)) {
      // What is computed while a module is loaded cannot be switched afterwards.
      if (!inTests.has(mutant.id) && atLoad.has(mutant.id)) outcomes.push({ ...mutant, became: 'at load' });
      else {
        const noticed = await isNoticed(mutant.id, known);
        outcomes.push({
          ...mutant,
          became: noticed ? 'noticed' : inTests.has(mutant.id) ? 'survived' : 'unmet',
        });
      }
    }
    process.stderr.write(`${file}\n`);
  }
  report('src/domain', outcomes);
});
