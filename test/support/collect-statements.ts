import { appendFileSync } from 'node:fs';
import pg from 'pg';

/**
 * Set up in every test file while `npm run freeze` runs: notes each statement that the service sends, and none that a test
 * sends itself.
 */
const file = process.env.PORTCULLIS_FREEZE;
const OURS = /\/(src|activities|test)\/(?!db\/)/;

if (file !== undefined) {
  Error.stackTraceLimit = 100;
  const seen = new Set<string>();
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function noted(this: pg.Client, ...args: unknown[]) {
    const [text] = args;
    if (typeof text === 'string' && !seen.has(text) && isSentByService()) {
      seen.add(text);
      appendFileSync(file, `${JSON.stringify(text)}\n`);
    }
    return Reflect.apply(query, this, args);
  } as typeof query;
}

/** By who asked first: the nearest of our files that is not the one that talks to the store. */
function isSentByService(): boolean {
  const frames = (new Error().stack ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes('collect-statements'));
  const nearest = frames.map((line) => OURS.exec(line)?.[1]).find((found) => found !== undefined);
  return nearest === 'src' || nearest === 'activities';
}
