import type { WireSimulation } from '../wire.ts';
import { formatNumber, formatTime, scaledDayNote } from './format.ts';
import { shortIds } from './ids.ts';
import { bullets, fields, paragraph, sections, table } from './render.ts';

const LEFT_OUT_WORDS: Readonly<Record<keyof WireSimulation['leftOut'], string>> = {
  erased: 'their arguments or subject are erased',
  switched_off: 'a switch answered, not a release',
  unknown_tool: 'the tool is gone, or new',
  args_invalid: 'the schema of the tool changed',
  attribute_missing: 'attributes of today are missing',
  no_release: 'no release was in force',
};

/** What a release would have answered, for people. */
export function simulationText(simulation: WireSimulation, width: number): string {
  const { agent, release, days, since, dayMs, decided, most, cut, unasked } = simulation;
  const title = `Release ${release} of ${agent} on the last ${days} days (since ${formatTime(since)})`;
  const left = leftOutText(simulation, width);
  if (decided === 0)
    return sections(
      scaledDayNote(dayMs),
      paragraph(title, width),
      'Nothing recorded can be decided again: this says nothing, neither good nor bad.',
      left,
    );
  return sections(
    scaledDayNote(dayMs),
    paragraph(title, width),
    cut
      ? paragraph(`CUT: at most ${most} are looked at, and there was more; these are the newest.`, width)
      : undefined,
    `${outcomesText(simulation)}\n\n${paragraph(`${simulation.same} of ${decided} are answered as before.`, width)}`,
    changesText(simulation, width),
    unaskedText(simulation, width),
    unasked.examples.length > 0 ? examplesText(simulation, width) : undefined,
    weeklyText(simulation, width),
    left,
    paragraph(
      'Limits, switches, standing approvals and earned autonomy are not played. Nothing was changed.',
      width,
    ),
  );
}

function outcomesText({ before, after }: WireSimulation): string {
  const row = (word: string, key: keyof WireSimulation['before']) => [
    word,
    String(before[key]),
    String(after[key]),
  ];
  return table(
    ['answer', 'before', 'after'],
    [row('runs unasked', 'allowed'), row('asks people', 'pending'), row('denied', 'denied')],
  );
}

function changesText({ newlyAllowed, newlyAsked, newlyDenied }: WireSimulation, width: number): string {
  const lines = [
    [newlyAllowed.asked, 'would run unasked that asked people'],
    [newlyAllowed.denied, 'would run unasked that were denied'],
    [newlyAsked.allowed, 'would ask people that ran unasked'],
    [newlyAsked.denied, 'would ask people that were denied'],
    [newlyDenied.allowed, 'would be denied that ran unasked'],
    [newlyDenied.asked, 'would be denied that asked people'],
  ] as const;
  const told = lines.flatMap(([count, words]) => (count > 0 ? [`${count} ${words}`] : []));
  return told.length === 0 ? '' : bullets(told, width);
}

function unaskedText({ newlyAllowed, unasked }: WireSimulation, width: number): string {
  if (newlyAllowed.asked === 0) return '';
  const { right, wrong, unknown } = unasked;
  return paragraph(
    `Of the ${newlyAllowed.asked} that asked people and would run unasked, people approved ${right} as they were, ` +
      `${unknown} nobody judged, and ${wrong} ${wrong === 1 ? 'was' : 'were'} denied, edited or called wrong.`,
    width,
  );
}

function examplesText({ unasked }: WireSimulation, width: number): string {
  const short = shortIds(unasked.examples.map(({ id }) => id));
  const rows = unasked.examples.map(({ id, tool, because }) => [short(id), tool, because]);
  const more = unasked.wrong - unasked.examples.length;
  return sections(
    `WOULD HAVE RUN UNASKED although people stopped or changed it\n${table(['action', 'tool', 'people'], rows, width)}`,
    more > 0 ? `and ${more} more` : undefined,
  );
}

function weeklyText({ weekly, approvals }: WireSimulation, width: number): string {
  const rows = weekly.map(({ person, before, after }) => [person, formatNumber(before), formatNumber(after)]);
  return sections(
    fields([['Approvals', `${approvals.before} were needed, ${approvals.after} would be`]], width),
    rows.length > 0
      ? `Questions a week that each may be asked\n${table(['person', 'before', 'after'], rows, width)}`
      : undefined,
  );
}

function leftOutText({ leftOut }: WireSimulation, width: number): string | undefined {
  const lines = Object.entries(leftOut).flatMap(([why, count]) =>
    count > 0 ? [`${count}: ${LEFT_OUT_WORDS[why as keyof typeof LEFT_OUT_WORDS]}`] : [],
  );
  return lines.length > 0 ? `Left out, neither good nor bad\n${bullets(lines, width)}` : undefined;
}
