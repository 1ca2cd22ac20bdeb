import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { releaseFile } from '../release-file.ts';
import { replayText } from '../text/replay-text.ts';
import type { WireReplay } from '../wire.ts';

const REPLAY_TIMEOUT_MS = 300_000;

interface ReplayOptions {
  release: string;
  since: string;
  until?: string;
  most?: string;
}

/** `portcullis replay`. */
export const registerReplay: RegisterCommands = (program, cli) => {
  const replay = program
    .command('replay')
    .summary('what a release would have answered to what was recorded')
    .description(
      'Decides the recorded actions of a period again under a release that need not be stored, and compares: what would newly run unasked, ask people or be denied, by segment and tool, and what people had refused of it. What cannot be replayed is counted apart. Nothing is changed, and nothing executes.',
    )
    .requiredOption('--release <file>', 'the release manifest')
    .option('--since <period>', 'how long before its end, or an instant', '30d')
    .option('--until <instant>', 'the end of the period (default: now)')
    .option('--most <n>', 'how many actions are looked at, at most: the newest first (default: 100000)')
    .action((options: ReplayOptions) => runReplay(cli, options));
  withExample(
    replay,
    'portcullis replay --release release-3.yaml --since 30d',
    'portcullis replay --release release-3.yaml --since 2026-01-01 --until 2026-02-01 --output json',
  );
};

async function runReplay(cli: Cli, { release: file, since, until, most }: ReplayOptions): Promise<void> {
  const { yaml, agent } = await releaseFile(cli, file);
  const query = { agent, since, until, most: most === undefined ? undefined : wholeNumber('--most', most) };
  const { body } = await cli.api.request<WireReplay>('POST', '/v1/replays', {
    query,
    yaml,
    timeoutMs: REPLAY_TIMEOUT_MS,
  });
  cli.print(body, () => replayText(body, cli.io.columns));
}
