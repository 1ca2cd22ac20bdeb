import { basename, dirname, resolve } from 'node:path';

const HERE = resolve(import.meta.dirname, '../..');

/** The folder of the sources, whether this runs from them or compiled, out of `dist`. */
export const PACKAGE_ROOT = basename(HERE) === 'dist' ? dirname(HERE) : HERE;
