#!/usr/bin/env node
// The sources run as they are: tsx strips the types of what is imported from here on.
import { register } from 'tsx/esm/api';

register();
await import('../src/cli/main.ts');
