import { agentsWordText } from '../../domain/subject.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { formatTime } from '../text/format.ts';
import { bullets, command, sections, table } from '../text/render.ts';
import type { AgentPosture, WireAgent, WireSwitch } from '../wire.ts';

interface Posture extends AgentPosture {
  testMode: boolean;
  inForce: WireAgent['inForce'];
}

/** `portcullis posture`. */
export const registerPosture: RegisterCommands = (program, cli) => {
  const posture = program
    .command('posture')
    .summary('how well each agent is covered, per segment')
    .description(
      'Per agent and segment, from what is recorded: begun writes that were allowed or approved, that got a credential of their own, actions whose decision can be replayed, and begun writes without an outcome. Also what is switched off.',
    )
    .argument('[agent]', 'only this agent')
    .action((agent: string | undefined) => runPosture(cli, agent));
  withExample(posture, 'portcullis posture my-agent');
};

async function runPosture(cli: Cli, agent: string | undefined): Promise<void> {
  const { api } = cli;
  const { switches } = await api.get<{ switches: WireSwitch[] }>('/v1/switches');
  const found = await api.get<{ agents: AgentPosture[] }>('/v1/posture', { agent });
  const agents: Posture[] = [];
  for (const one of found.agents) {
    const { manifest, inForce } = await api.get<WireAgent>(`/v1/agents/${encodeURIComponent(one.agent)}`);
    agents.push({ ...one, testMode: manifest.testMode, inForce });
  }
  if (agent !== undefined && agents.length === 0) await api.get(`/v1/agents/${encodeURIComponent(agent)}`);
  cli.print({ agents, switches }, () => postureText(agents, switches, cli.io.columns));
}

function postureText(agents: readonly Posture[], switches: readonly WireSwitch[], width: number): string {
  const off = switches.map(
    ({ scope, reads, actor, changedAt, reason, later }) =>
      `${scope}${reads ? ' (reads too)' : ''} since ${formatTime(changedAt)} by ${actor}: ${reason}${later.map((stop) => `; again ${formatTime(stop.at)} by ${stop.actor}: ${stop.reason}`).join('')}`,
  );
  if (agents.length === 0) {
    return sections(
      offText(off, width),
      `No agents yet. Write and apply one:\n${command('portcullis init')}`,
    );
  }
  return sections(offText(off, width), ...agents.map((agent) => agentText(agent, width)));
}

const offText = (off: readonly string[], width: number): string | undefined =>
  off.length > 0 ? `SWITCHED OFF\n${bullets(off, width)}` : undefined;

function agentText(
  { agent, testMode, inForce, toolsClassified, advisory, agentsWord, segments }: Posture,
  width: number,
): string {
  const labels = [
    ...(testMode ? ['TEST MODE: owners may approve what their own agent asks'] : []),
    ...(advisory.length > 0 ? [`advisory, the agent holds keys of its own: ${advisory.join(', ')}`] : []),
    ...(agentsWord.length > 0 ? [agentsWordText(agentsWord)] : []),
    `${toolsClassified.part} of ${toolsClassified.of} tools say whether they read or write`,
  ];
  const names = [
    ...new Set([...inForce.map(({ segment }) => segment), ...segments.map(({ segment }) => segment)]),
  ];
  const rows = names.map((name) => {
    const found = segments.find(({ segment }) => segment === name);
    const release = inForce.find(({ segment }) => segment === name)?.release ?? '-';
    if (!found) return [name, release, '-', '-', '-', '-'];
    const { writesConfirmed, perActionCredential, replayable, unpaired } = found;
    return [
      name,
      release,
      ...[writesConfirmed, perActionCredential, replayable].map(shareText),
      String(unpaired),
    ];
  });
  const head = ['segment', 'release', 'confirmed', 'credential', 'replayable', 'unpaired'];
  const none = `  Nothing is in force: every question is denied. Put a first release in force:\n${command(`portcullis adopt ${agent} <release> --reason "..."`)}`;
  return [agent, bullets(labels, width), '', rows.length > 0 ? table(head, rows, width) : none].join('\n');
}

/** A share is never rounded up to all. */
function shareText({ part, of }: { part: number; of: number }): string {
  if (of === 0) return '-';
  return `${Math.floor((part / of) * 100)} % of ${of}`;
}
