import { day, type PageSection, plural, short, some, sum } from './page-form.ts';
import { type Cell, colourOf, type WeekSnapshot } from './weekly.ts';

const ROWS_MAX = 6;

export const decisions = ({ decisions: needed }: WeekSnapshot): PageSection => ({
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

export const followUps = ({ followUps: given }: WeekSnapshot): PageSection => ({
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

export const changes = ({ changes: made }: WeekSnapshot): PageSection => ({
  title: 'What changed',
  lines: some(
    made,
    4,
    ({ agent, at, what }) => ({ text: `${day(at)} ${agent}: ${short(what, 9)}` }),
    'Nothing.',
  ),
});

/** Verdicts that say nothing, neither good nor bad. */
const SILENT: ReadonlySet<string> = new Set(['no-data', 'source-down']);

export const isRegression = (cell: Cell): boolean => cell.verdict === 'breach' || colourOf(cell) !== null;

export function regressions({ cells }: WeekSnapshot): PageSection {
  const bad = cells.filter(isRegression);
  const look = cells.filter((cell) => cell.worthALook && !isRegression(cell));
  const others = cells.filter((cell) => !cell.worthALook && !isRegression(cell));
  const silent = others.filter(({ verdict }) => SILENT.has(verdict)).length;
  return {
    title: 'Regressions by segment',
    lines: [
      ...(look.length > 0
        ? [
            {
              text: `Worth a look: ${short(
                look
                  .slice(0, 3)
                  .map(({ agent, metric, segment }) => `${metric} in ${segment} of ${agent}`)
                  .join('; '),
                24,
              )}.`,
            },
          ]
        : []),
      {
        text: `Of the other ${plural(others.length - silent, 'guardrail')}: no change the evidence supports.`,
      },
      ...(silent > 0
        ? [{ text: `Of ${plural(silent, 'guardrail')} nothing is known: no data, or a source that is down.` }]
        : []),
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

export function incidents({ incidents: all, cases }: WeekSnapshot): PageSection {
  const fresh = all.filter(({ isNew }) => isNew);
  const again = fresh.filter(({ recurrence }) => recurrence).length;
  const guarded = all.flatMap(({ daysToGuarded }) => (daysToGuarded === null ? [] : [daysToGuarded]));
  const mechanisms = [...new Set(all.map(({ mechanism }) => mechanism ?? 'unclassified'))].sort();
  const caseLine =
    cases === null
      ? 'Cases: not available.'
      : `Cases: ${(['added', 'admitted', 'red', 'waived', 'overdue'] as const)
          .map((name) => `${sum(cases.map((one) => one[name]))} ${name === 'red' ? 'red in force' : name}`)
          .join(', ')}.`;
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

export const business = ({ business: lines }: WeekSnapshot): PageSection => ({
  title: 'Business metrics by segment',
  lines:
    lines === null
      ? [{ text: 'Not available.' }]
      : lines.length === 0
        ? [{ text: 'No tasks in this week.' }]
        : [],
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

export const approvers = ({ approvers: all }: WeekSnapshot): PageSection => ({
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

export const risks = ({ risks: all }: WeekSnapshot): PageSection => ({
  title: 'Unresolved risks',
  lines: some(
    all,
    3,
    ({ agent, what, expires }) => ({
      text: `${agent}: ${short(what, 10)}${expires ? `, until ${day(expires)}` : ''}`,
    }),
    'None recorded.',
  ),
});

export const next = ({ next: all }: WeekSnapshot): PageSection => ({
  title: 'Next week',
  lines: some(all, 3, ({ agent, what }) => ({ text: `${agent}: ${short(what, 12)}` }), 'Nothing is planned.'),
});
