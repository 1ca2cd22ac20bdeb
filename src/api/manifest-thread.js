// A thread of its own, started by manifest-reader.ts: plain JavaScript, because threads do not inherit what reads
// TypeScript.
import { existsSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const source = new URL('./read-aside.ts', import.meta.url);
const isSource = existsSync(source);
if (isSource) (await import('tsx/esm/api')).register();
const { readAside } = await import(isSource ? source.href : './read-aside.js');

parentPort.on('message', ({ id, question }) => parentPort.postMessage({ id, answer: readAside(question) }));
