import { join } from 'node:path';
import { test } from 'vitest';
import { type Collected, collect } from './collect.ts';
import { domainTests, instrumented, isConformance, ROOT } from './domain.ts';
import { type Outcome, report } from './report.ts';
import { isNoticed, learn } from './run.ts';
import { chosen } from './sample.ts';
import { mutants as switchboard } from './switch.ts';

const TEST_MS_MAX = 2_000;
/** A suite of thousands of cases is one test. */
const SUITE_MS_MAX = 20_000;

test('mutants of src/domain', async () => {
  const tests: Collected[] = [];
  for (const file of domainTests()) tests.push(...(await collect(file, () => import(join(ROOT, file)))));
  const atLoad = new Set(switchboard.hits);
  const known = await learn(tests, ({ name }) => (isConformance(name) ? SUITE_MS_MAX : TEST_MS_MAX));
  const inTests = new Set(known.flatMap(({ hits }) => [...hits]));
  const outcomes: Outcome[] = [];
  const { tried, words } = chosen([...instrumented().values()].flatMap(({ mutants }) => mutants));
  for (const mutant of tried) {
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
  report(`src/domain, ${words}`, outcomes);
});
