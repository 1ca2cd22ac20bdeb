import { join, relative } from 'node:path';
import type { Plugin } from 'vitest/config';
import { defineConfig } from 'vitest/config';
import { instrumented, ROOT } from './domain.ts';

/** The domain with its mutants in it; test files declare to `collect.ts`, which runs them as often as is needed. */
function mutation(): Plugin {
  const domain = instrumented();
  const pathOf = (id: string): string => relative(ROOT, id.split('?')[0] ?? '');
  return {
    name: 'mutation',
    enforce: 'pre',
    resolveId(source, importer) {
      const from = importer ? pathOf(importer) : '';
      const declares = from.startsWith('test/') && !from.startsWith('test/mutation/');
      return source === 'vitest' && declares ? join(ROOT, 'test/mutation/collect.ts') : undefined;
    },
    transform: (_, id) => domain.get(pathOf(id))?.code,
  };
}

export default defineConfig({
  root: ROOT,
  plugins: [mutation()],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['test/mutation/*.mutation.ts'],
    globalSetup: ['test/support/global-setup-postgres.ts'],
    setupFiles: ['test/mutation/switch.ts'],
    testTimeout: 0,
    reporters: ['dot'],
    disableConsoleIntercept: true,
  },
});
