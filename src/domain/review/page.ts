import { REAL_DAY_MS } from '../duration.ts';
import { type Cell, colourOf, type WeekSnapshot } from './weekly.ts';
import { wordsIn } from './word-count.ts';

export const PAGE_WORDS_MAX = 500;
export const CHARTS_MAX = 6;
export const TABLES_MAX = 3;
const ROWS_MAX = 6;

export interface PageLine {
  text: string;
  /** Only where a verdict changed. */
  colour?: 'worse' | 'better';
  ref?: string;
}

export interface PageTable {
  head: string[];
  rows: { cells: string[]; colour?: 'worse' | 'better' }[];
}

export interface PageSection {
  title: string;
  lines: PageLine[];
  table?: PageTable;
}

/** The page of a week: the same parts in the same order every week. */
export interface ReviewPage {
  week: string;
  version: number;
  title: string;
  /** Of a week in which nothing needs anybody: what was checked, in one line. */
  quiet: string | null;
  sections: PageSection[];
  charts: Cell[];
}

/** The page of a snapshot, byte for byte the same each time: every figure in its text comes from the facts. */
export function pageOf(snapshot: WeekSnapshot): ReviewPage {
  const sections = [
    header(snapshot),
    decisions(snapshot),
    followUps(snapshot),
    changes(snapshot),
    regressions(snapshot),
    incidents(snapshot),
    business(snapshot),
    approvers(snapshot),
    risks(snapshot),
    next(snapshot),
  ];
  return {
    week: snapshot.week,
    version: snapshot.version,
    title: `Week ${snapshot.week}`,
    quiet: quietLine(snapshot),
    sections,
    charts: chartsOf(snapshot),
  };
}

/** The words of its text, without those of its tables and charts. */
export const wordsOfPage = ({ title, quiet, sections }: ReviewPage): number =>
  wordsIn(
    [title, quiet ?? '', ...sections.flatMap((one) => [one.title, ...one.lines.map(({ text }) => text)])].join(' '),
  );

const WORDS_SHORT = 16;

/** At most so many words of what people wrote. */
function short(text: string, words = WORDS_SHORT): string {
  const parts = text.split(/\s+/u).filter(Boolean);
  return parts.length <= words ? parts.join(' ') : `${parts.slice(0, words).join(' ')} …`;
}

/** Some of the lines, and how many more there are. */
function some<T>(items: readonly T[], most: number, line: (item: T) => PageLine, none: string): PageLine[] {
  if (items.length === 0) return [{ text: none }];
  const more = items.length - most;
  return [...items.slice(0, most).map(line), ...(more > 0 ? [{ text: `and ${more} more` }] : [])];
}

const day = (iso: string): string => iso.slice(0, 10);
const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function checkedText({ cells, approvers, cases }: WeekSnapshot): string {
  const writes = sum(approvers.map(({ asked }) => asked));
  const green = cases === null ? 'no cases are kept' : `${plural(sum(cases.map((one) => one.green)), 'case')} green`;
  return `${plural(cells.length, 'guardrail')} judged, ${plural(writes, 'write')} asked of people, ${green}`;
}

function quietLine(snapshot: WeekSnapshot): string | null {
  const { decisions: needed, followUps: given, cells, incidents: found, unread, missed, sourcesDown } = snapshot;
  const isQuiet =
    needed.length === 0 &&
    !given.some(({ overdue }) => overdue) &&
    !cells.some((cell) => cell.verdict === 'breach' || colourOf(cell) !== null) &&
    !found.some(({ isNew }) => isNew) &&
    unread.length + missed.length + sourcesDown.length === 0;
  return isQuiet ? `Quiet: 0 decisions; ${checkedText(snapshot)}.` : null;
}

function header(snapshot: WeekSnapshot): PageSection {
  const { from, to, agents, dataThrough, dayMs, missed, unread, sourcesDown, version } = snapshot;
  const last = new Date(Date.parse(to) - 1).toISOString();
  return {
    title: 'Period',
    lines: [
      { text: `${day(from)} to ${day(last)}, UTC; ${plural(agents.length, 'agent')}: ${short(agents.join(', '), 10)}.` },
      { text: `Data complete through ${minute(dataThrough)}.${version > 1 ? ` Version ${version}: late data changed it.` : ''}` },
      ...(dayMs === REAL_DAY_MS ? [] : [{ text: `A day is ${dayMs / 1_000} s here (PORTCULLIS_DAY).` }]),
      ...(missed.length > 0
        ? [{ text: `No page was made of ${short(missed.join(', '), 6)}: the schedule did not run. This page stands for them.` }]
        : []),
      ...(unread.length > 0 ? [{ text: `The page before was not read in time by ${unread.join(', ')}.` }] : []),
      ...(sourcesDown.length > 0 ? [{ text: `Sources that say nothing: ${short(sourcesDown.join(', '), 12)}.` }] : []),
    ],
  };
}

const decisions = ({ decisions: needed }: WeekSnapshot): PageSection => ({
  title: 'Decisions needed',
  lines: some(
    needed,
    3,
    ({ agent, what, owner, evidence, otherwise, ref }) => ({
      text: `${agent}: ${short(what, 10)} (${owner}). ${short(evidence, 10)}. If nobody decides: ${short(otherwise, 8)}.`,
      ref,
    }),
    'None.',
  ),
});

const FOLLOW_UP_WORDS: Readonly<Record<string, string>> = { not_doing: 'not doing' };

const followUps = ({ followUps: given }: WeekSnapshot): PageSection => ({
  title: 'Follow-ups',
  lines: some(
    given,
    4,
    ({ id, sentence, owner, state, overdue, reason, dueAt }) => ({
      text: `${overdue ? `overdue since ${day(dueAt ?? '')}` : (FOLLOW_UP_WORDS[state] ?? state)}: ${short(sentence, 8)} (${owner})${reason ? `: ${short(reason, 5)}` : ''}`,
      ref: id,
    }),
    'None were due.',
  ),
});

const changes = ({ changes: made }: WeekSnapshot): PageSection => ({
  title: 'What changed',
  lines: some(made, 4, ({ agent, at, what }) => ({ text: `${day(at)} ${agent}: ${short(what, 9)}` }), 'Nothing.'),
});

const isRegression = (cell: Cell): boolean => cell.verdict === 'breach' || colourOf(cell) !== null;

function regressions({ cells }: WeekSnapshot): PageSection {
  const bad = cells.filter(isRegression);
  const look = cells.filter((cell) => cell.worthALook && !isRegression(cell));
  const rest = cells.length - bad.length - look.length;
  return {
    title: 'Regressions by segment',
    lines: [
      ...(look.length > 0
        ? [{ text: `Worth a look: ${short(look.slice(0, 3).map(({ agent, metric, segment }) => `${metric} in ${segment} of ${agent}`).join('; '), 24)}.` }]
        : []),
      {
        text: `Of the other ${plural(rest, 'guardrail')}: no change the evidence supports.`,
      },
    ],
    ...(bad.length > 0 && {
      table: {
        head: ['agent', 'segment', 'metric', 'verdict', 'before', 'since', 'subjects', 'cost'],
        rows: bad.slice(0, ROWS_MAX).map((cell) => {
          const colour = colourOf(cell);
          return {
            cells: [
              cell.agent,
              cell.segment,
              cell.metric,
              cell.verdict,
              cell.before ?? '–',
              cell.firstDay ?? '–',
              String(cell.subjects),
              cell.cost ?? 'no rate',
            ],
            ...(colour && { colour }),
          };
        }),
      },
    }),
  };
}

function incidents({ incidents: all, cases }: WeekSnapshot): PageSection {
  const fresh = all.filter(({ isNew }) => isNew);
  const again = fresh.filter(({ recurrence }) => recurrence).length;
  const guarded = all.flatMap(({ daysToGuarded }) => (daysToGuarded === null ? [] : [daysToGuarded]));
  const mechanisms = [...new Set(all.map(({ mechanism }) => mechanism ?? 'unclassified'))].sort();
  const caseLine =
    cases === null
      ? 'Cases: not available.'
      : `Cases: ${sum(cases.map((one) => one.added))} added, ${sum(cases.map((one) => one.red))} red, ${sum(cases.map((one) => one.waived))} waived, ${sum(cases.map((one) => one.overdue))} overdue.`;
  const median = middle(guarded);
  return {
    title: 'Incidents by mechanism',
    lines: [
      {
        text: `${plural(fresh.length, 'new incident')}, ${plural(again, 'recurrence')}${median === null ? '' : `; ${median} days to guarded in the median`}.`,
      },
      { text: caseLine },
    ],
    ...(mechanisms.length > 0 && {
      table: {
        head: ['mechanism', 'new', 'recurrences', 'open'],
        rows: mechanisms.slice(0, ROWS_MAX).map((mechanism) => {
          const own = all.filter((one) => (one.mechanism ?? 'unclassified') === mechanism);
          return {
            cells: [
              mechanism,
              String(own.filter(({ isNew }) => isNew).length),
              String(own.filter(({ isNew, recurrence }) => isNew && recurrence).length),
              String(own.filter(({ state }) => state !== 'closed' && state !== 'guarded').length),
            ],
          };
        }),
      },
    }),
  };
}

function middle(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

const business = ({ business: lines }: WeekSnapshot): PageSection => ({
  title: 'Business metrics by segment',
  lines: lines === null ? [{ text: 'Not available.' }] : lines.length === 0 ? [{ text: 'No tasks in this week.' }] : [],
  ...(lines !== null &&
    lines.length > 0 && {
      table: {
        head: ['agent', 'segment', 'metric', 'value', 'beside'],
        rows: lines.slice(0, ROWS_MAX * 2).map((one) => ({
          cells: [one.agent, one.segment, one.metric, one.value, one.technical],
        })),
      },
    }),
});

const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${Number(((100 * part) / whole).toPrecision(2))} %`;

const approvers = ({ approvers: all }: WeekSnapshot): PageSection => ({
  title: 'Approvers',
  lines: some(
    all,
    2,
    ({ agent, asked, decided, hasty, approvals, overBlocks }) => ({
      text: `${agent}: ${asked} asked, ${decided} answered, ${percent(hasty, approvals)} approved in under 3 s, ${overBlocks} stopped that were right`,
    }),
    'Nobody was asked.',
  ),
});

const risks = ({ risks: all }: WeekSnapshot): PageSection => ({
  title: 'Unresolved risks',
  lines: some(
    all,
    3,
    ({ agent, what, expires }) => ({ text: `${agent}: ${short(what, 10)}${expires ? `, until ${day(expires)}` : ''}` }),
    'None recorded.',
  ),
});

const next = ({ next: all }: WeekSnapshot): PageSection => ({
  title: 'Next week',
  lines: some(all, 3, ({ agent, what }) => ({ text: `${agent}: ${short(what, 12)}` }), 'Nothing is planned.'),
});

/** What is drawn: what changed its verdict, then what is worth a look, then what has most events. */
function chartsOf({ cells }: WeekSnapshot): Cell[] {
  const rank = (cell: Cell): number => (isRegression(cell) ? 0 : cell.worthALook ? 1 : 2);
  const events = ({ weeks }: Cell): number => sum(weeks.map((one) => one.known));
  const key = ({ agent, segment, metric }: Cell): string => `${agent} ${segment} ${metric}`;
  return [...cells]
    .filter((cell) => rank(cell) < 2 || events(cell) > 0)
    .sort(
      (one, other) =>
        rank(one) - rank(other) || events(other) - events(one) || (key(one) < key(other) ? -1 : 1),
    )
    .slice(0, CHARTS_MAX);
}
