import type { Cli } from '../cli.ts';
import { ApiClient } from '../client.ts';
import { knownDatabase } from '../direct.ts';
import { sections, wrap } from '../text/render.ts';
import { checkCallbacks } from './callbacks.ts';
import { type Check, fail, wordsOf } from './check.ts';
import { checkGroups } from './groups.ts';
import { checkHere } from './local.ts';
import { checkService } from './service.ts';
import { checkSlack } from './slack.ts';
import { checkSwitch } from './switch.ts';
import { saidOnce } from './switched-off.ts';

const STATE_WIDTH = 6;
/** A service that is stuck keeps nobody waiting for what else is wrong. */
const PATIENCE_MS = 5_000;

/** Every check, and what they found. */
export async function runDoctor(cli: Cli): Promise<void> {
  const { checks: here, config } = await checkHere(cli.io);
  const api = new ApiClient(cli.connection, PATIENCE_MS);
  const groups = await Promise.all([
    guarded('service', () => checkService(api)),
    guarded('switch', async () => [await checkSwitch(cli.connection, PATIENCE_MS)]),
    guarded('database', async () => {
      const known = config && (await knownDatabase(cli));
      if (!known) return [];
      const { checkDatabase } = await import('./database.ts');
      return checkDatabase(known);
    }),
    guarded('Temporal', async () => {
      if (!config) return [];
      const { checkTemporal } = await import('./temporal.ts');
      return checkTemporal(config.temporal);
    }),
    guarded('webhooks', async () => (config ? checkCallbacks(api, config.webhookSecret) : [])),
    guarded('approver groups', () => checkGroups(api)),
    guarded('Slack', async () => (config ? checkSlack(config.slack) : [])),
  ]);
  const checks = saidOnce([...here, ...groups.flat()]);
  const failed = checks.filter(({ state }) => state === 'fail').length;
  if (failed > 0) cli.exit = 'refused';
  cli.print({ healthy: failed === 0, checks }, () => checksText(checks, cli.io.columns));
}

/** One check that breaks does not hide the others. */
async function guarded(name: string, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
  } catch (error) {
    return [fail(name, `it cannot be checked: ${wordsOf(error)}`, 'See the message')];
  }
}

function checksText(checks: readonly Check[], width: number): string {
  const indent = `\n${' '.repeat(STATE_WIDTH)}`;
  const lines = checks.map(({ name, detail, mend }) =>
    wrap(`${name}: ${detail}${mend ? `\n-> ${mend}` : ''}`, width - STATE_WIDTH).join(indent),
  );
  const count = (state: Check['state']) => checks.filter((check) => check.state === state).length;
  const sum = `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`;
  return sections(checks.map(({ state }, at) => `${state.padEnd(STATE_WIDTH)}${lines[at]}`).join('\n'), sum);
}
