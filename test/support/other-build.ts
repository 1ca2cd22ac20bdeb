import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../../src/embedded/package-root.ts';

/** The sources of another version in a folder of their own: what its workers run. */
export interface OtherBuild extends Disposable {
  /** Its workflows, as a worker takes them. */
  bundle(): Promise<{ code: string }>;
  /** One of its modules. */
  load<T>(path: string): Promise<T>;
}

/** This version with some of its files changed; a change that changes nothing is an error. */
export function otherBuild(changes: Record<string, (text: string) => string>): OtherBuild {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-build-'));
  for (const part of ['src', 'workflows', 'activities', 'package.json'])
    cpSync(join(PACKAGE_ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, change] of Object.entries(changes)) {
    const text = readFileSync(join(folder, path), 'utf8');
    const changed = change(text);
    if (changed === text) throw new Error(`${path} is the same in the other build`);
    writeFileSync(join(folder, path), changed);
  }
  return {
    bundle: () => bundleWorkflowCode({ workflowsPath: join(folder, 'workflows/index.ts') }),
    load: (path) => import(pathToFileURL(join(folder, path)).href),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
