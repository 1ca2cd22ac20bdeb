import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { instrument, type Mutant } from './instrument.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const filesOf = (folder: string, end: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .map((file) => join(folder, String(file)))
    .filter((file) => file.endsWith(end))
    .sort();

/** The domain with its mutants, by path from the root. Numbered alike in every process. */
export function instrumented(): Map<string, { code: string; mutants: Mutant[] }> {
  let next = 0;
  return new Map(
    filesOf('src/domain', '.ts').map((file) => {
      const made = instrument(file, readFileSync(join(ROOT, file), 'utf8'), next);
      next += made.mutants.length;
      return [file, made];
    }),
  );
}

const CONFORMANCE = 'test/unit/conformance';

/**
 * What is to notice them: the domain's own tests and the official suites of JSON Schema and CEL. Simulations take minutes
 * and look at the same code as the others.
 */
export const domainTests = (): string[] => [
  ...filesOf('test/unit/domain', '.test.ts').filter((file) => !file.endsWith('.simulation.test.ts')),
  ...filesOf(CONFORMANCE, '.test.ts'),
];
export const isConformance = (file: string): boolean => file.startsWith(CONFORMANCE);
