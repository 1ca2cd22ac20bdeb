import { REAL_DAY_MS } from '../duration.ts';
import { day, minute, type PageSection, plural, type ReviewPage, short, sum } from './page-form.ts';
import {
  approvers,
  business,
  changes,
  decisions,
  followUps,
  incidents,
  isRegression,
  next,
  regressions,
  risks,
} from './page-sections.ts';
import { type Cell, colourOf, type WeekSnapshot } from './weekly.ts';
import { wordsIn } from './word-count.ts';

export const PAGE_WORDS_MAX = 500;
export const CHARTS_MAX = 6;
export const TABLES_MAX = 3;
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
    [
      title,
      quiet ?? '',
      ...sections.flatMap((one) => [one.title, ...one.lines.map(({ text }) => text)]),
    ].join(' '),
  );

function checkedText({ cells, approvers, cases }: WeekSnapshot): string {
  const writes = sum(approvers.map(({ asked }) => asked));
  const green =
    cases === null ? 'no cases are kept' : `${plural(sum(cases.map((one) => one.green)), 'case')} green`;
  return `${plural(cells.length, 'guardrail')} judged, ${plural(writes, 'write')} asked of people, ${green}`;
}

function quietLine(snapshot: WeekSnapshot): string | null {
  const {
    decisions: needed,
    followUps: given,
    cells,
    incidents: found,
    unread,
    missed,
    sourcesDown,
  } = snapshot;
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
      {
        text: `${day(from)} to ${day(last)}, UTC; ${plural(agents.length, 'agent')}: ${short(agents.join(', '), 10)}.`,
      },
      {
        text: `Data complete through ${minute(dataThrough)}.${version > 1 ? ` Version ${version}: late data changed it.` : ''}`,
      },
      ...(dayMs === REAL_DAY_MS ? [] : [{ text: `A day is ${dayMs / 1_000} s here (PORTCULLIS_DAY).` }]),
      ...(missed.length > 0
        ? [
            {
              text: `No page was made of ${short(missed.join(', '), 6)}: the schedule did not run. This page stands for them.`,
            },
          ]
        : []),
      ...(unread.length > 0
        ? [{ text: `The page before was not read in time by ${unread.join(', ')}.` }]
        : []),
      ...(sourcesDown.length > 0
        ? [{ text: `Sources that say nothing: ${short(sourcesDown.join(', '), 12)}.` }]
        : []),
    ],
  };
}

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
