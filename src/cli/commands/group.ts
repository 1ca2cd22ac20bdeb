import type { GroupView } from '../../groups/list.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { formatTime, formatTimeAndDistance } from '../text/format.ts';
import { bullets, sections, table } from '../text/render.ts';
import type { Wire } from '../wire.ts';

export type WireGroup = Wire<GroupView>;

/** `portcullis group`. */
export const registerGroup: RegisterCommands = (program, cli) => {
  const group = program.command('group').summary('who is in the approver groups');
  group.description(
    'An approver group is a list in the manifest of its agent, a Slack user group, or an on-call schedule.',
  );
  const list = group
    .command('list')
    .summary('the groups of an agent: who is in each now')
    .description(
      'Lists the approver groups of an agent: who is in each now, from where and as of when, whom a source names and who does not count, and why it could not be read. Nobody of a group that is stale may approve.',
    )
    .argument('<agent>', 'the agent')
    .action(async (agent: string) => {
      const answer = await cli.api.get<{ groups: WireGroup[] }>(
        `/v1/agents/${encodeURIComponent(agent)}/groups`,
      );
      cli.print(answer, () => groupsText(answer.groups, cli));
    });
  withExample(list, 'portcullis group list my-agent');
};

function groupsText(groups: readonly WireGroup[], { io }: Cli): string {
  const rows = groups.map((group) => [
    group.group,
    [group.source, group.id].filter(Boolean).join(' '),
    group.members.map(memberText).join('\n') || 'nobody',
    knownText(group, io.now()),
  ]);
  return sections(
    table(['group', 'from', 'now in it', 'read'], rows, io.columns),
    ...groups.map((group) => notesText(group, io.columns)),
  );
}

const memberText = ({ person, until }: WireGroup['members'][number]): string =>
  until ? `${person} until ${formatTime(until)}` : person;

function knownText({ source, stale, fetchedAt }: WireGroup, now: Date): string {
  if (source === 'manifest') return '';
  const when = fetchedAt ? formatTimeAndDistance(fetchedAt, now) : 'never';
  return stale ? `STALE: nobody counts\n${when}` : when;
}

function notesText({ group, error, unknown }: WireGroup, width: number): string | undefined {
  const notes = [
    ...(error ? [`could not be read: ${error}`] : []),
    ...(unknown.length > 0 ? [`named there, and not counted: ${unknown.join(', ')}`] : []),
  ];
  return notes.length > 0 ? `${group}\n${bullets(notes, width)}` : undefined;
}
