import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { cacheFolder } from '../embedded/cache.ts';
import { PACKAGE_ROOT } from '../embedded/package-root.ts';

export const WORKFLOWS_PATH = join(PACKAGE_ROOT, 'workflows/index.ts');

/** The workflows' code and the id of the build it makes. */
export interface WorkflowBundle {
  code: string;
  buildId: string;
}

/** Bundles the workflows, or takes the bundle of exactly these sources from the cache. */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const buildId = sourcesDigest();
  const folder = join(cacheFolder(), 'bundles');
  const path = join(folder, `${buildId}.js`);
  if (existsSync(path)) return { code: readFileSync(path, 'utf8'), buildId };
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: quiet });
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.${process.pid}`, code);
  await rename(`${path}.${process.pid}`, path);
  return { code, buildId };
}

const nothing = () => {};
const quiet = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: console.warn,
  error: console.error,
};

/** Changes with any file that goes into the bundle, however deep it lies below `root`. */
export function sourcesDigest(root: string = PACKAGE_ROOT): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package.json')));
  for (const folder of ['workflows', 'src/domain']) {
    const files = readdirSync(join(root, folder), { recursive: true }).map(String).sort();
    for (const file of files) {
      if (file.endsWith('.ts'))
        hash.update(join(folder, file)).update(readFileSync(join(root, folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
