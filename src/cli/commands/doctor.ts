import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { knownDatabase } from '../direct.ts';
import { checkCallbacks } from '../doctor/callbacks.ts';
import { type Check, fail, wordsOf } from '../doctor/check.ts';
import { checkGroups } from '../doctor/groups.ts';
import { checkHere } from '../doctor/local.ts';
import { checkService } from '../doctor/service.ts';
import { checkSlack } from '../doctor/slack.ts';
import { checkSwitch } from '../doctor/switch.ts';
import { saidOnce } from '../doctor/switched-off.ts';
import { sections, wrap } from '../text/render.ts';

const STATE_WIDTH = 6;

/** `portcullis doctor`. */
export const registerDoctor: RegisterCommands = (program, cli) => {
  const doctor = program
    .command('doctor')
    .summary('what is wrong, and how to mend it')
    .description(
      'Looks at Node, the environment, the data folder, the service, the switch, the token, the database with its clock, Temporal with its workers, webhooks, approver groups, and Slack. Works while the service is down; changes nothing. Exit code 1 when a check fails.',
    )
    .action(() => runDoctor(cli));
  withExample(doctor, 'portcullis doctor');
};

async function runDoctor(cli: Cli): Promise<void> {
  const { checks: here, config } = await checkHere(cli.io);
  const groups = await Promise.all([
    guarded('service', () => checkService(cli.api)),
    guarded('switch', async () => [await checkSwitch(cli.connection)]),
    guarded('database', async () => {
      const known = config && (await knownDatabase(cli));
      if (!known) return [];
      const { checkDatabase } = await import('../doctor/database.ts');
      return checkDatabase(known);
    }),
    guarded('Temporal', async () => {
      if (!config) return [];
      const { checkTemporal } = await import('../doctor/temporal.ts');
      return checkTemporal(config.temporal);
    }),
    guarded('webhooks', async () => (config ? checkCallbacks(cli.api, config.webhookSecret) : [])),
    guarded('approver groups', () => checkGroups(cli.api)),
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
