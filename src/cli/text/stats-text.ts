import type { WireStats } from '../wire.ts';
import { formatDuration, formatTime, scaledDayNote } from './format.ts';
import { command, fields, paragraph, sections, table } from './render.ts';

type Share = WireStats['answers']['hasty'];
type Waited = WireStats['gating']['right'];

/** How people approve, for people. */
export function statsText(stats: WireStats, width: number): string {
  const { agent, days, since, dayMs, asked, people, tools } = stats;
  const whose = agent === undefined ? 'all agents' : `agent ${agent}`;
  const title = `Approvals of ${whose}, the last ${daysText(days)} (since ${formatTime(since)})`;
  const note = scaledDayNote(dayMs);
  const nothing = asked.asked === 0 && people.length === 0 && stats.gating.wronglyStopped.count === 0;
  if (nothing)
    return sections(
      note,
      paragraph(title, width),
      `Nobody was asked anything. Look further back, or see what waits:\n${command('portcullis approvals stats --days 90')}\n${command('portcullis approvals list')}`,
    );
  return sections(
    note,
    paragraph(title, width),
    totalsText(stats, width),
    people.length > 0 ? `Who answers\n${peopleText(stats, width)}` : undefined,
    tools.length > 0 ? `What is asked\n${toolsText(stats, width)}` : undefined,
    `What waiting cost\n${gatingText(stats, width)}`,
    stats.breakGlass.count > stats.breakGlass.reviewed
      ? `Not reviewed yet:\n${command('portcullis approvals reviews')}`
      : undefined,
  );
}

const daysText = (days: number): string => (days === 1 ? 'day' : `${days} days`);
const time = (ms: number | undefined): string => (ms === undefined ? '-' : formatDuration(ms));

/** A share is never rounded up to all, nor down to none. */
function shareText({ part, of }: Share): string {
  if (of === 0) return '-';
  const percent =
    part === 0 || part === of ? (part / of) * 100 : Math.min(99, Math.max(1, (part / of) * 100));
  return `${part} of ${of} (${Math.round(percent)} %)`;
}

function totalsText({ asked, answers, breakGlass, standing }: WireStats, width: number): string {
  const parts = [
    [asked.approved, `approved`],
    [asked.denied, 'denied'],
    [asked.expired, `expired, ${asked.unanswered} of them without any answer`],
    [asked.stopped, 'withdrawn, superseded or switched off'],
    [asked.waiting, 'waiting'],
  ] as const;
  const ended = parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  return fields(
    [
      ['Asked', [String(asked.asked), ended.join('; ')].filter((part) => part !== '').join(': ')],
      ['Edited', asked.edited > 0 ? String(asked.edited) : undefined],
      ['Answers', `${answers.answered}${answers.asDeputy > 0 ? `, ${answers.asDeputy} as a deputy` : ''}`],
      [
        'Time',
        answers.medianMs === undefined
          ? 'not known: nobody answered on a surface that knows when it was shown'
          : `median ${time(answers.medianMs)}, 95 % within ${time(answers.p95Ms)}, from shown to answered`,
      ],
      [
        'Under 3 s',
        answers.hasty.of > 0 ? `${shareText(answers.hasty)} approvals: too fast to be read` : undefined,
      ],
      [
        'Alone',
        breakGlass.count > 0
          ? `${breakGlass.count} broke the glass, ${breakGlass.reviewed} reviewed, ${breakGlass.unjustified} not justified`
          : undefined,
      ],
      [
        'Standing',
        standing.started + standing.used > 0
          ? `${standing.started} given, ${standing.used} writes ran by one`
          : undefined,
      ],
    ],
    width,
  );
}

function peopleText({ people }: WireStats, width: number): string {
  const rows = people.map((one) => [
    one.person,
    String(one.asked),
    String(one.approved),
    String(one.denied),
    String(one.edited),
    String(one.asDeputy),
    time(one.medianMs),
    shareText(one.hasty),
  ]);
  const head = ['person', 'asked', 'approved', 'denied', 'edited', 'deputy', 'median', 'under 3 s'];
  return table(head, rows, width);
}

function toolsText({ tools, agent }: WireStats, width: number): string {
  const rows = tools.map((one) => [
    agent === undefined ? `${one.agent} ${one.tool}` : one.tool,
    one.risk,
    String(one.asked),
    String(one.approved),
    String(one.denied),
    String(one.edited),
    String(one.expired),
    time(one.medianWaitMs),
  ]);
  const head = ['tool', 'risk', 'asked', 'approved', 'denied', 'edited', 'expired', 'median wait'];
  return table(head, rows, width);
}

function gatingText({ gating }: WireStats, width: number): string {
  const { right, stopped, wronglyStopped: wrong } = gating;
  const rows: string[][] = [['right, and waited for it', ...waitCells(right)]];
  for (const one of stopped) {
    if (one.count > 0) rows.push([`${one.state} while it waited`, ...waitCells(one)]);
    if (one.approved > 0) rows.push([`approved, then ${one.state}`, String(one.approved), '-', '-']);
  }
  const by = [
    [wrong.byPeople, 'denied by people'],
    [wrong.byPolicy, 'denied by policy'],
    [wrong.expired, 'expired'],
  ] as const;
  const told = by.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  if (wrong.count > 0) rows.push([`called right afterwards: ${told.join(', ')}`, ...waitCells(wrong)]);
  return table(['writes', 'count', 'median wait', 'total'], rows, width);
}

const waitCells = ({ count, medianMs, totalMs }: Waited): string[] => [
  String(count),
  time(medianMs),
  count === 0 ? '-' : formatDuration(totalMs),
];
