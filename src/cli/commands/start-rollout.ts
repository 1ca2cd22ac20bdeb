import type { Command } from 'commander';
import type { Release } from '../../domain/release.ts';
import { type Cli, collect, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { type ForecastShown, forecastText } from '../text/forecast-text.ts';
import { preflightText } from '../text/preflight-text.ts';
import { bullets, command as line, paragraph, sections } from '../text/render.ts';
import type { WireAgent, WirePreflight, WireStarted } from '../wire.ts';
import { forecast } from './simulate-rollout.ts';

const PREFLIGHT_TIMEOUT_MS = 300_000;
const SINCE = '30d';

interface StartOptions {
  reason: string;
  supersede?: boolean;
  yes?: boolean;
  noneYet?: string;
  waive?: string[];
}

/** `portcullis rollout start`. */
export function registerStart(rollout: Command, cli: Cli): void {
  const start = rollout
    .command('start')
    .summary('start the rollout of an applied release')
    .description(
      'Starts the rollout of an applied release. Shows its preflight first: regression cases and what they would notice, what replay changes, what the rollout could learn; and says everything that is missing, at once.',
    )
    .argument('<agent>', 'the agent')
    .argument('<release>', 'the version of an applied release')
    .requiredOption('--reason <text>', 'why; it is kept in the log')
    .option('--supersede', 'an open one ends and keeps its evidence, and this one takes its place')
    .option('--none-yet <why>', 'there is no regression case yet: once, for an agent that never had one')
    .option(
      '--waive <case until date: why>',
      'a case need not be green until then; shown in every status; may be repeated',
      collect,
    )
    .option('--yes', 'do not ask')
    .action(async (agent: string, release: string, { yes = false, waive = [], ...input }: StartOptions) => {
      const waivers = waive.map(waiverOf);
      if (!(await confirmed(cli, agent, release, input.noneYet, yes))) return;
      const body = { agent, release, ...input, ...(waivers.length > 0 && { waivers }) };
      const started = await cli.api.post<WireStarted>('/v1/rollouts', body);
      cli.print(started, () =>
        sections(
          paragraph(`Started rollout ${started.id}: release ${release} of ${agent}.`),
          started.notes.length > 0 ? bullets(started.notes, cli.io.columns) : undefined,
          `Next:\n${line(`portcullis rollout status ${started.id}`)}`,
        ),
      );
    });
  withExample(
    start,
    'portcullis rollout start my-agent 2 --reason "A quarter without a wrong e-mail"',
    'portcullis rollout start my-agent 2 --reason "try it" --none-yet "nothing went wrong so far"',
    'portcullis rollout start my-agent 2 --reason "try it" --waive "twice-refunded until 2026-12-24: the desk looks at each"',
  );
}

/** @throws CliError `usage` */
function waiverOf(text: string): { case: string; until: string; reason: string } {
  const [, name, until, reason] = /^(\S+) until (\S+): (.*\S.*)$/.exec(text) ?? [];
  const at = new Date(until ?? '');
  if (name === undefined || reason === undefined || Number.isNaN(at.getTime()))
    throw new CliError('usage', `--waive "${text}": write the case, until when, and why`, {
      hint: '--waive "twice-refunded until 2026-12-24: the desk looks at each"',
    });
  return { case: name, until: at.toISOString(), reason };
}

/** Says what is to be expected; where somebody is there, it is confirmed. */
async function confirmed(
  cli: Cli,
  agent: string,
  release: string,
  noneYet: string | undefined,
  yes: boolean,
): Promise<boolean> {
  if (cli.json || yes) return true;
  const found = await expectedOf(cli, agent, release, noneYet);
  if (found)
    cli.note(
      `${preflightText(found.preflight, cli.io.columns)}\n\n${forecastText(found.forecast, cli.io.columns)}\n`,
    );
  if (!cli.io.interactive || (await cli.io.confirm(`Start release ${release} of ${agent}?`))) return true;
  cli.exit = 'refused';
  cli.print({ started: false }, () => 'Nothing was started.');
  return false;
}

interface Expected {
  preflight: WirePreflight;
  forecast: ForecastShown;
}

/** Nothing where the service will refuse to start it, and say why. */
async function expectedOf(
  cli: Cli,
  agent: string,
  release: string,
  noneYet: string | undefined,
): Promise<Expected | undefined> {
  try {
    const path = `/v1/agents/${encodeURIComponent(agent)}/releases/${encodeURIComponent(release)}`;
    const { manifest } = await cli.api.get<{ manifest: Release }>(path);
    const preflight = await preflightOf(cli, agent, manifest, { noneYet });
    return { preflight, forecast: await rehearsal(cli, agent, manifest) };
  } catch (error) {
    if (error instanceof CliError && error.exit !== 'unreachable') return undefined;
    throw error;
  }
}

/** What the service would say of starting it: as a value, or as YAML. */
export async function preflightOf(
  cli: Cli,
  agent: string,
  release: Release | string,
  { noneYet, since = SINCE }: { noneYet?: string | undefined; since?: string },
): Promise<WirePreflight> {
  const { body } = await cli.api.request<WirePreflight>('POST', '/v1/preflights', {
    query: { agent, since, noneYet },
    ...(typeof release === 'string' ? { yaml: release } : { json: release }),
    timeoutMs: PREFLIGHT_TIMEOUT_MS,
  });
  return body;
}

/** What a rollout of it could learn, and when. */
export async function rehearsal(cli: Cli, agent: string, release: Release): Promise<ForecastShown> {
  const { manifest } = await cli.api.get<WireAgent>(`/v1/agents/${encodeURIComponent(agent)}`);
  const asked = { days: '30', runs: '200', seed: '1', harms: [], baseline: new Map(), isStored: true };
  return forecast(cli, manifest, release, asked);
}
