import { setTimeout as sleep } from 'node:timers/promises';
import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';

const LOOK_EVERY_MS = 2_000;
const CLEAR = '\u001b[H\u001b[2J';

/** What there is to show, as data and as text. */
export interface Shown {
  data: object;
  text(): string;
}

/**
 * Shows it again whenever it changed, until Ctrl-C: in a terminal in the same place, else below; as JSON one object a
 * line. A service that is away is waited for.
 * @throws what the first look fails with
 */
export async function watchChanges(cli: Cli, look: () => Promise<Shown>): Promise<void> {
  const signal = cli.io.interrupted();
  let last: string | undefined;
  let away = false;
  while (!signal.aborted) {
    try {
      const { data, text } = await look();
      const shown = cli.json ? JSON.stringify(data) : cli.told(text());
      if (shown !== last || away) cli.io.out(`${cli.io.interactive && !cli.json ? CLEAR : ''}${shown}\n`);
      [last, away] = [shown, false];
    } catch (error) {
      if (last === undefined || !(error instanceof CliError) || error.exit !== 'unreachable') throw error;
      if (!away) cli.note(`${error.message}. Looking again until it does`);
      away = true;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
