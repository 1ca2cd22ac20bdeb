import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { formatTimeAndDistance } from '../text/format.ts';
import { command, paragraph, quoted, sections, table } from '../text/render.ts';

interface SliceOptions {
  release: string;
  grant: string;
  tool: string;
  segment: string;
  agentVersion: string;
  reason: string;
}

interface Autonomy extends Omit<SliceOptions, 'reason'> {
  agent: string;
  state: 'ask' | 'proposed' | 'allow';
  evidence: { decided?: number; good?: number; bad?: number; lower?: string; above?: string };
  changedAt: string;
  changedBy: string;
}

/** `portcullis autonomy`. */
export const registerAutonomy: RegisterCommands = (program, cli) => {
  const autonomy = program.command('autonomy').summary('what earned not to ask people');
  autonomy.description(
    'A grant with "earn" moves from ask to allow, segment by segment and build by build, when what people decided carries it; and back at once when it no longer does.',
  );
  const list = autonomy
    .command('list')
    .summary('what earned it, is proposed, or was taken back')
    .argument('[agent]', 'only of this agent')
    .action((agent?: string) => runList(cli, agent));
  withExample(list, 'portcullis autonomy list airline');
  for (const [name, summary] of [
    ['confirm', 'let it write without asking'],
    ['refuse', 'go on asking; the evidence begins anew'],
    ['take-back', 'ask people again, at once'],
  ] as const) {
    const command = autonomy
      .command(name)
      .summary(summary)
      .argument('<agent>', 'the agent')
      .requiredOption('--release <version>', 'the release that grants it')
      .requiredOption('--grant <name>', 'the grant, as list shows it')
      .requiredOption('--tool <tool>', 'the tool')
      .requiredOption('--segment <segment>', 'the segment')
      .requiredOption('--agent-version <version>', 'the build that earned it')
      .requiredOption('--reason <text>', 'why; it is logged')
      .action((agent: string, options: SliceOptions) => runAnswer(cli, name, agent, options));
    withExample(
      command,
      `portcullis autonomy ${name} airline --release 2 --grant refund-1 --tool refund --segment gold --agent-version 1.4.0 --reason "see the review of week 12"`,
    );
  }
};

async function runList(cli: Cli, agent: string | undefined): Promise<void> {
  const query = agent === undefined ? '' : `?agent=${encodeURIComponent(agent)}`;
  const { autonomy } = await cli.api.get<{ autonomy: Autonomy[] }>(`/v1/autonomy${query}`);
  cli.print(autonomy, () =>
    autonomy.length === 0
      ? 'Nothing has earned anything yet: every grant asks as its release says.'
      : sections(listTable(autonomy, cli.io.now()), ...autonomy.map(proposedText)),
  );
}

const listTable = (autonomy: readonly Autonomy[], now: Date): string =>
  table(
    ['What', 'State', 'Evidence', 'Since'],
    autonomy.map((one) => [
      `${one.tool} of ${one.agent}\nversion ${one.agentVersion}\nsegment ${one.segment}\nrelease ${one.release}, grant ${one.grant}`,
      one.state,
      evidenceText(one.evidence),
      `${formatTimeAndDistance(one.changedAt, now)}\nby ${one.changedBy}`,
    ]),
  );

function evidenceText({ decided, good, bad, lower, above }: Autonomy['evidence']): string {
  if (lower === undefined) return '';
  const needs = above === undefined ? [] : [`needs ${above}`];
  return [`${decided} decided`, `${good} right, ${bad} not`, `lower bound ${lower}`, ...needs].join('\n');
}

/** What is proposed waits for an answer, by a command that can be copied. */
function proposedText({
  agent,
  release,
  grant,
  tool,
  segment,
  agentVersion,
  state,
}: Autonomy): string | undefined {
  if (state !== 'proposed') return undefined;
  const slice = [
    ['--release', release],
    ['--grant', grant],
    ['--tool', tool],
    ['--segment', segment],
    ['--agent-version', agentVersion],
  ];
  const words = slice.map(([name, value]) => `${name} ${quoted(String(value))}`).join(' ');
  const said = `"${tool}" goes on asking until a release manager answers, with confirm or refuse:`;
  return `${paragraph(said)}\n${command(`portcullis autonomy confirm ${agent} ${words} --reason "..."`)}`;
}

async function runAnswer(
  cli: Cli,
  name: 'confirm' | 'refuse' | 'take-back',
  agent: string,
  { release, grant, tool, segment, agentVersion, reason }: SliceOptions,
): Promise<void> {
  const slice = { agent, release, grant, tool, segment, agentVersion, reason };
  const answer =
    name === 'take-back'
      ? await cli.api.post<{ state: string }>('/v1/autonomy/take-back', slice)
      : await cli.api.post<{ state: string }>('/v1/autonomy/answers', {
          ...slice,
          accept: name === 'confirm',
        });
  cli.print(answer, () =>
    answer.state === 'allow'
      ? `"${tool}" runs without asking now in segment "${segment}".`
      : `"${tool}" asks people in segment "${segment}".`,
  );
}
