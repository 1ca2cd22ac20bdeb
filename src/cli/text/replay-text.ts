import { CHANGES, type Change } from '../../domain/replay/replay.ts';
import { LEFT_OUT_WORDS } from '../../domain/replay/words.ts';
import type { WireReplay } from '../wire.ts';
import { formatNumber, formatTime, scaledDayNote } from './format.ts';
import { shortIds } from './ids.ts';
import { bullets, fields, paragraph, sections, table } from './render.ts';

const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  newlyAllowed: 'now unasked',
  newlyAsked: 'now asked',
  newlyDenied: 'now denied',
};

/** What a release would have answered, for people. */
export function replayText(replay: WireReplay, width: number): string {
  const { agent, release, days, since, until, dayMs, decided, most, cut, unasked, digest } = replay;
  const title = `Release ${release} of ${agent} on ${days} days, ${formatTime(since)} to ${formatTime(until)}`;
  const left = leftOutText(replay, width);
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
    paragraph(replay.sentence, width),
    `${outcomesText(replay)}\n\n${paragraph(`${replay.same} of ${decided} are answered as before.`, width)}`,
    changesText(replay, width),
    erredText(replay, width),
    partsText(replay, width),
    unaskedText(replay, width),
    unasked.examples.length > 0 ? examplesText(replay, width) : undefined,
    weeklyText(replay, width),
    left,
    paragraph(
      `Limits, switches, standing approvals and earned autonomy are not played. Nothing was changed. Digest ${digest}`,
      width,
    ),
  );
}

function outcomesText({ before, after }: WireReplay): string {
  const row = (word: string, key: keyof WireReplay['before']) => [
    word,
    String(before[key]),
    String(after[key]),
  ];
  return table(
    ['answer', 'before', 'after'],
    [row('runs unasked', 'allowed'), row('asks people', 'pending'), row('denied', 'denied')],
  );
}

function changesText({ newlyAllowed, newlyAsked, newlyDenied }: WireReplay, width: number): string {
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

function erredText({ erred }: WireReplay, width: number): string | undefined {
  if (erred.actions === 0) return undefined;
  const examples = erred.examples.map(({ id, shown }) => `${id}: ${shown}`);
  return `A condition FAILS on ${erred.actions}, which denies them: mend the release\n${bullets(examples, width)}`;
}

function partsText({ parts }: WireReplay, width: number): string | undefined {
  const changed = parts.filter(({ decided, same }) => same < decided);
  if (changed.length === 0) return undefined;
  const rows = changed.map((part) => [
    part.segment,
    part.tool,
    ...CHANGES.map((change) => String(part[change])),
    String(part.same),
  ]);
  const head = ['segment', 'tool', ...CHANGES.map((change) => CHANGE_WORDS[change]), 'as before'];
  const examples = changed.flatMap((part) =>
    CHANGES.flatMap((change) =>
      part.examples[change].map(({ id, shown }) => `${CHANGE_WORDS[change]}: ${shown} (${id})`),
    ),
  );
  return sections(
    `What changes, by segment and tool\n${table(head, rows, width)}`,
    `Such as\n${bullets(examples, width)}`,
  );
}

function unaskedText({ newlyAllowed, unasked }: WireReplay, width: number): string {
  if (newlyAllowed.asked === 0) return '';
  const { right, wrong, unknown } = unasked;
  return paragraph(
    `Of the ${newlyAllowed.asked} that asked people and would run unasked, people approved ${right} as they were, ` +
      `${unknown} nobody judged, and ${wrong} ${wrong === 1 ? 'was' : 'were'} denied, edited or called wrong.`,
    width,
  );
}

function examplesText({ unasked }: WireReplay, width: number): string {
  const short = shortIds(unasked.examples.map(({ id }) => id));
  const rows = unasked.examples.map(({ id, tool, because }) => [short(id), tool, because]);
  const more = unasked.wrong - unasked.examples.length;
  return sections(
    `WOULD HAVE RUN UNASKED although people stopped or changed it\n${table(['action', 'tool', 'people'], rows, width)}`,
    more > 0 ? `and ${more} more` : undefined,
  );
}

function weeklyText({ weekly, approvals }: WireReplay, width: number): string {
  const rows = weekly.map(({ person, before, after }) => [person, formatNumber(before), formatNumber(after)]);
  return sections(
    fields([['Approvals', `${approvals.before} were needed, ${approvals.after} would be`]], width),
    rows.length > 0
      ? `Questions a week that each may be asked\n${table(['person', 'before', 'after'], rows, width)}`
      : undefined,
  );
}

function leftOutText({ leftOut }: WireReplay, width: number): string | undefined {
  const lines = Object.entries(leftOut).flatMap(([why, count]) =>
    count > 0 ? [`${count}: ${LEFT_OUT_WORDS[why as keyof typeof LEFT_OUT_WORDS]}`] : [],
  );
  return lines.length > 0 ? `Cannot be replayed, neither good nor bad\n${bullets(lines, width)}` : undefined;
}
