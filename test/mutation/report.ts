import type { Mutant } from './instrument.ts';

/**
 * `noticed`: a test fails. `survived`: all tests that meet it pass. `unmet`: no test runs that code. `at load`: not tried,
 * because it is computed once, while its module is loaded.
 */
export type Became = 'noticed' | 'survived' | 'unmet' | 'at load';

export interface Outcome extends Mutant {
  became: Became;
}

/** Prints what no test notices, by file, and the score: what is noticed of all that was tried. */
export function report(what: string, outcomes: readonly Outcome[]): void {
  const of = (became: Became) => outcomes.filter((outcome) => outcome.became === became);
  const tried = outcomes.length - of('at load').length;
  const lines = [...of('survived'), ...of('unmet')]
    .sort((a, b) => a.id - b.id)
    .map(({ file, line, from, to, became }) => `${file}:${line} ${became}: ${from}  ->  ${to}`);
  const score = tried === 0 ? 0 : (100 * of('noticed').length) / tried;
  const counts = (['noticed', 'survived', 'unmet', 'at load'] as const).map(
    (one) => `${of(one).length} ${one}`,
  );
  console.log([...lines, '', `${what}: ${score.toFixed(1)} % of ${tried} (${counts.join(', ')})`].join('\n'));
}
