import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/** Two cores, and tests that wait for a part of their time. */
const FORKS_MAX = 3;
const SECOND_MS = 1_000;
/** The first run may have to fetch or build a server. */
const FIRST_FETCH_MS = 300 * SECOND_MS;

interface ProjectOptions {
  folders?: string[];
  /** Groups run one after the other: what needs no server first, then all that does, so that no core waits for the other. */
  groupOrder: number;
  testSeconds: number;
  hookMs?: number;
  /** Whether each file loads every module anew: where most of the time would be loading. */
  isolate?: boolean;
  globalSetup?: string[];
}

function project(
  name: string,
  { folders = [name], groupOrder, testSeconds, hookMs, globalSetup, isolate = true }: ProjectOptions,
) {
  return {
    test: {
      name,
      include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
      testTimeout: testSeconds * SECOND_MS,
      hookTimeout: hookMs ?? 30 * SECOND_MS,
      sequence: { groupOrder },
      isolate,
      // What follows in a moment may take a while on a machine that is busy with something else.
      expect: { poll: { timeout: 60 * SECOND_MS, interval: 20 } },
      ...(globalSetup === undefined ? {} : { globalSetup }),
      setupFiles: process.env.PORTCULLIS_FREEZE ? ['test/support/collect-statements.ts'] : [],
    },
  };
}

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: FORKS_MAX,
    teardownTimeout: 30 * SECOND_MS,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', { groupOrder: 0, testSeconds: 60, isolate: false }),
      project('replay', { groupOrder: 0, testSeconds: 60, hookMs: 120 * SECOND_MS }),
      // One project: a process goes on with the next file only when that is of its own, and loading everything anew
      // takes longer than most files.
      project('served', {
        folders: ['workflow', 'integration', 'e2e'],
        isolate: false,
        groupOrder: 1,
        testSeconds: 180,
        hookMs: FIRST_FETCH_MS,
        globalSetup: [
          'test/support/global-setup-postgres.ts',
          'test/support/global-setup-temporal.ts',
          'test/support/global-setup-time-skipping.ts',
        ],
      }),
    ],
  },
});
