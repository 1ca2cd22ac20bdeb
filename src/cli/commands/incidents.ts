import type { Command } from 'commander';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import {
  incidentsText,
  incidentText,
  type WireIncident,
  type WireIncidentDetail,
} from '../text/incident-text.ts';
import { paragraph } from '../text/render.ts';

const pathOf = (id: string): string => `/v1/incidents/${encodeURIComponent(id)}`;
const several = (one: string, before: readonly string[] = []): string[] => [...before, one];

/** `portcullis incidents`. */
export const registerIncidents: RegisterCommands = (program, cli) => {
  const incidents = program.command('incidents').summary('what went wrong, and by which mechanism');
  incidents.description(
    'Every wrong write is in exactly one incident. An owner says which control should have stopped it and did not; a case guards against it; then it is closed, and what is like it from then on is a recurrence.',
  );
  registerReads(incidents, cli);
  registerOpen(incidents, cli);
  registerClassify(incidents, cli);
  registerMerges(incidents, cli);
};

function registerReads(incidents: Command, cli: Cli): void {
  const list = incidents
    .command('list')
    .summary('incidents, newest first')
    .argument('[agent]', 'only of this agent')
    .option('--state <state>', 'open, classified, reproduced, guarded or closed')
    .option('--rollout <id>', 'only of this rollout')
    .option('--limit <count>', 'how many at most', '50')
    .option('--cursor <cursor>', 'what the page before gave')
    .action(async (agent: string | undefined, options: Record<string, string>) => {
      const found = await cli.api.get<Parameters<typeof incidentsText>[0]>('/v1/incidents', {
        agent,
        ...options,
      });
      cli.print(found, () => incidentsText(found, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis incidents list airline-desk --state open');
  const show = incidents
    .command('show')
    .summary('one with its evidence, cost, writes and timeline')
    .argument('<id>', 'as list shows it')
    .option('--after <entry>', 'the timeline after this entry of the log')
    .action(async (id: string, { after }: { after?: string }) => {
      const found = await cli.api.get<WireIncidentDetail>(pathOf(id), { after });
      cli.print(found, () => incidentText(found, cli.io.now(), cli.io.columns));
    });
  withExample(show, 'portcullis incidents show inc-4f2a91c07b');
  const mechanisms = incidents
    .command('mechanisms')
    .summary('the fourteen in order, each with its test')
    .argument('[agent]', 'whose labels the agreement is of')
    .action(async (agent?: string) => {
      const found = await cli.api.get<{
        mechanisms: { name: string; test: string; example: string }[];
        agreement: { pairs: number; agreed: number; kappa: number | null };
      }>('/v1/incidents/mechanisms', { agent });
      cli.print(found, () => {
        const { pairs, agreed, kappa } = found.agreement;
        const lines = found.mechanisms.map(({ name, test }, at) => `${at + 1}. ${name}: ${test}`);
        return [
          ...lines.map((line) => paragraph(line, cli.io.columns)),
          `Classified twice: ${pairs}, agreed ${agreed}, kappa ${kappa === null ? 'not known' : kappa.toFixed(2)}`,
        ].join('\n');
      });
    });
  withExample(mechanisms, 'portcullis incidents mechanisms');
}

interface OpenOptions {
  title: string;
  reason: string;
  segment?: string;
  tool?: string;
  severity?: string;
  owner?: string;
  action?: string[];
  end?: string[];
  effect?: true;
  historical?: true;
  at?: string;
}

function registerOpen(incidents: Command, cli: Cli): void {
  const open = incidents
    .command('open')
    .summary('open one')
    .description(
      'Opens an incident. It ends what --end names and nothing else; a historical one ends nothing.',
    )
    .argument('<agent>', 'the agent')
    .requiredOption('--title <text>', 'what happened, in a line')
    .requiredOption('--reason <text>', 'how it is known')
    .option('--segment <segment>', 'where')
    .option('--tool <tool>', 'by which tool')
    .option('--severity <severity>', 'high, normal or low')
    .option('--owner <person>', 'who sees to it; default: the first owner of the agent')
    .option('--action <id>', 'a write it is about; may be repeated', several)
    .option('--end <what>', 'standingApprovals or autonomy; may be repeated', several)
    .option('--effect', 'the effect exists upstream, whatever the records say')
    .option('--historical', 'of the past: nothing is ended')
    .option('--at <instant>', 'when it happened, e.g. 2026-11-14T09:12:03Z')
    .action(async (agent: string, { action, end, ...options }: OpenOptions) => {
      const json = { agent, ...options, actions: action, ends: end };
      const opened = await cli.api.post<WireIncident>('/v1/incidents', json);
      cli.print(opened, () => openedText(opened, cli.io.columns));
    });
  withExample(
    open,
    'portcullis incidents open airline-desk --title "Refund paid twice" --reason "the bank called" --end autonomy',
  );
}

function openedText({ id, state, mechanism, ended }: WireIncident, width: number): string {
  const parts = Object.entries(ended).map(([what, count]) => `${count} ${what}`);
  const after = parts.length > 0 ? `It ended ${parts.join(', ')}.` : 'It ended nothing.';
  return paragraph(
    `Opened ${id}: ${state === 'open' ? 'unclassified' : (mechanism ?? state)}. ${after}`,
    width,
  );
}

interface ClassifyOptions {
  mechanism: string;
  certainty: string;
  origin?: string;
  result?: string;
  contributing?: string[];
  entry?: string[];
  revision?: string;
}

function registerClassify(incidents: Command, cli: Cli): void {
  const classify = incidents
    .command('classify')
    .summary('say by which mechanism it happened')
    .description(
      'The first control that should have stopped it and did not: see incidents mechanisms. Somebody else’s change in between is refused.',
    )
    .argument('<id>', 'the incident')
    .requiredOption('--mechanism <name>', 'one of incidents mechanisms')
    .option('--certainty <word>', 'known or suspected', 'known')
    .option('--origin <origin>', 'adversary, agent_error, operator, upstream_change or platform')
    .option('--result <result>', 'wrong_write, near_miss, right_write_stopped or nothing')
    .option('--contributing <name>', 'another mechanism whose test is yes; may be repeated', several)
    .option('--entry <number>', 'a log entry that justifies it; may be repeated', several)
    .option('--revision <number>', 'of the incident as you saw it; default: as it is now')
    .action(async (id: string, { revision, entry = [], ...options }: ClassifyOptions) => {
      const seen = revision ?? (await cli.api.get<WireIncident>(pathOf(id))).revision;
      const json = { ...options, revision: Number(seen), evidence: entry.map(Number) };
      const done = await cli.api.post<WireIncident>(`${pathOf(id)}/classify`, json);
      cli.print(done, () =>
        paragraph(
          `Classified ${done.id}: ${done.mechanism} (${done.certainty})${done.mergedInto ? `; like ${done.mergedInto}, and merged into it` : ''}${done.recurrenceOf ? `; a recurrence of ${done.recurrenceOf}` : ''}.`,
          cli.io.columns,
        ),
      );
    });
  withExample(
    classify,
    'portcullis incidents classify inc-4f2a91c07b --mechanism over_grant --origin agent_error --entry 48211',
  );
}

function registerMerges(incidents: Command, cli: Cli): void {
  const merge = incidents
    .command('merge')
    .summary('merge one into another; both addresses stay')
    .argument('<id>', 'what is merged')
    .argument('<into>', 'what it is merged into')
    .requiredOption('--reason <text>', 'why they are one thing')
    .action(async (id: string, into: string, { reason }: { reason: string }) => {
      const done = await cli.api.post<WireIncident>(`${pathOf(id)}/merge`, { into, reason });
      cli.print(done, () => `Merged ${id} into ${done.mergedInto}.`);
    });
  withExample(merge, 'portcullis incidents merge inc-4f2a91c07b inc-90b1c2d3e4 --reason "one outage"');
  const unmerge = incidents
    .command('unmerge')
    .summary('take a merge back')
    .argument('<id>', 'what was merged')
    .requiredOption('--reason <text>', 'why they are two things')
    .action(async (id: string, { reason }: { reason: string }) => {
      const done = await cli.api.post<WireIncident>(`${pathOf(id)}/unmerge`, { reason });
      cli.print(done, () => `${id} stands for itself again.`);
    });
  withExample(unmerge, 'portcullis incidents unmerge inc-4f2a91c07b --reason "another cause"');
  const close = incidents
    .command('close')
    .summary('close one')
    .description(
      'Closes one that a case guards against; one that no case reproduces is closed by another owner than classified it. Follow-ups go on.',
    )
    .argument('<id>', 'the incident')
    .requiredOption('--reason <text>', 'why it is over')
    .option('--revision <number>', 'of the incident as you saw it; default: as it is now')
    .action(async (id: string, { reason, revision }: { reason: string; revision?: string }) => {
      const seen = revision ?? (await cli.api.get<WireIncident>(pathOf(id))).revision;
      const done = await cli.api.post<WireIncident>(`${pathOf(id)}/close`, {
        reason,
        revision: Number(seen),
      });
      cli.print(done, () => `Closed ${done.id}. What is like it from now on is a recurrence.`);
    });
  withExample(
    close,
    'portcullis incidents close inc-4f2a91c07b --reason "guarded by case cancel-needs-a-person"',
  );
}
