import { readdirSync, readFileSync } from 'node:fs';
import type { RegressionCase } from '../src/domain/cases/case.ts';
import { runSuite } from '../src/domain/cases/suite.ts';
import { readCase, readManifest } from '../src/domain/manifest/manifest.ts';

const AIRLINE = new URL('../examples/airline/', import.meta.url);
const CASES = 5_000;

/** How many cases a second are run on one release, read and compiled included: those of the airline example, again and again. */
export function benchCases(): void {
  const textOf = (name: string) => readFileSync(new URL(name, AIRLINE), 'utf8');
  const agent = readManifest('agent.yaml', textOf('agent.yaml'), 'agent');
  if (!agent.ok) throw new Error('The agent of the example is not valid');
  const release = readManifest('release-3.yaml', textOf('release-3.yaml'), 'release', agent.value);
  if (!release.ok) throw new Error('The release of the example is not valid');
  const some = readdirSync(new URL('cases/', AIRLINE)).flatMap((name): RegressionCase[] => {
    const read = readCase(name, textOf(`cases/${name}`));
    return read.ok ? [read.value] : [];
  });
  const cases = Array.from({ length: CASES }, (_, at) => {
    const one = some[at % some.length] as RegressionCase;
    const round = Math.floor(at / some.length);
    const named = (name: string) => `${name}-${round}`;
    return { ...one, case: named(one.case), twins: one.twins.map(named) };
  });
  const began = performance.now();
  const { green, red, unevaluable } = runSuite({ agent: agent.value, release: release.value }, cases);
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(
    `cases: ${CASES} in ${seconds.toFixed(2)} s, ${Math.round(CASES / seconds)} a second (at least 1,000); ${green} green, ${red} red, ${unevaluable} unevaluable\n`,
  );
}
