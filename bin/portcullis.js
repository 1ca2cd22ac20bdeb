#!/usr/bin/env node
// Compiled if that is what the sources say (bin/build.js), else the sources as they are: tsx strips their types.
import { isCurrent } from './compiled.js';

if (isCurrent()) {
  await import('../dist/src/cli/main.js');
} else {
  const { register } = await import('tsx/esm/api');
  register();
  await import('../src/cli/main.ts');
}
