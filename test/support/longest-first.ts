import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, none beside two others that keep both cores busy; begun last, one would run on alone. */
const LONGEST = [
  'e2e/demo.test.ts',
  'integration/workflows/ended-outside.test.ts',
  'integration/workflows/latest-build.test.ts',
  'integration/workflows/hanging-host.test.ts',
  'integration/workflows/refused-build.test.ts',
  'e2e/outages.test.ts',
  'integration/slack/saturation.test.ts',
  'integration/cli/docs-commands.test.ts',
  'integration/airline-seeds.test.ts',
  'e2e/kill.test.ts',
  'integration/switch/race.test.ts',
];

function rank(file: TestSpecification): number {
  const at = LONGEST.findIndex((name) => file.moduleId.endsWith(`/test/${name}`));
  return at === -1 ? LONGEST.length : at;
}

/** Files of one project in a row: a process of another is ended and made anew. */
const byProject = (a: TestSpecification, b: TestSpecification): number =>
  a.project.name.localeCompare(b.project.name);

/** Vitest's own order, the largest files first, behind the files that are known to take longest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => byProject(a, b) || rank(a) - rank(b));
  }
}
