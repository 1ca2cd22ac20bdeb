import { formatTime, formatTimeAndDistance } from './format.ts';
import { bullets, fields, sections, table } from './render.ts';

export interface WireIncident {
  id: string;
  agent: string;
  state: string;
  because: string;
  segment?: string;
  tool?: string;
  title: string;
  severity: string;
  owner?: string;
  openedAt: string;
  openedBy: string;
  mechanism?: string;
  certainty?: string;
  origin?: string;
  result?: string;
  contributing: string[];
  classifyBy?: string;
  classifiedTwice: boolean;
  mergedInto?: string;
  recurrenceOf?: string;
  ended: Record<string, number>;
  writes: number;
  revision: number;
}

export interface WireIncidentDetail extends WireIncident {
  allWrites: number;
  merged: { id: string; writes: number }[];
  cost?: string;
  findings: { mechanism: string; answer: string; because: string; likely?: boolean }[];
  actions: {
    action: string;
    because: string;
    tool?: string;
    summary?: string;
    reversibility?: string;
    undo?: string;
  }[];
  timeline: { entry: number; at: string; kind: string; actor: string; text: string }[];
  nextEntry?: number;
}

/** A page of incidents. */
export function incidentsText(
  {
    incidents,
    nextCursor,
    recurrence: { again, closed },
  }: {
    incidents: readonly WireIncident[];
    nextCursor?: string;
    recurrence: { again: number; closed: number };
  },
  now: Date,
  width: number,
): string {
  if (incidents.length === 0) return 'No incidents.';
  const rows = incidents.map((one) => [
    `${one.id}\n${one.agent}${one.segment ? `, ${one.segment}` : ''}`,
    one.mergedInto ? `merged into\n${one.mergedInto}` : one.state,
    `${one.mechanism ?? 'unclassified'}${one.recurrenceOf ? '\nRECURRENCE' : ''}`,
    `${one.title}\n${one.writes} writes, ${formatTimeAndDistance(one.openedAt, now)}`,
  ]);
  return sections(
    `${again} happened again after one like it was closed; ${closed} are closed.`,
    table(['Incident', 'State', 'Mechanism', 'What'], rows, width),
    nextCursor && `More: --cursor ${nextCursor}`,
  );
}

/** One incident whole. */
export function incidentText(one: WireIncidentDetail, now: Date, width: number): string {
  const asked = one.findings.filter(({ answer }) => answer !== 'no');
  return sections(
    one.title,
    fields(
      [
        ['Incident', `${one.id}, revision ${one.revision}`],
        ['State', one.mergedInto ? `merged into ${one.mergedInto}` : one.state],
        ['Mechanism', one.mechanism ? `${one.mechanism} (${one.certainty})` : 'unclassified'],
        ['Classify by', one.classifyBy && formatTimeAndDistance(one.classifyBy, now)],
        ['Contributing', one.contributing.length > 0 ? one.contributing.join(', ') : undefined],
        ['Origin', one.origin],
        ['Result', one.result],
        ['Recurrence of', one.recurrenceOf],
        ['Severity', one.severity],
        ['Owner', one.owner],
        ['Opened', `${formatTime(one.openedAt)} by ${one.openedBy} (${one.because})`],
        ['Ended with it', endedText(one.ended)],
        [
          'Writes',
          `${one.allWrites}${one.merged.length > 0 ? `, of ${one.merged.length + 1} incidents` : ''}`,
        ],
        ['Cost', one.cost],
      ],
      width,
    ),
    one.actions.length > 0
      ? `What was written\n${bullets(
          one.actions.map(
            ({ action, tool, summary, reversibility, undo }) =>
              `${summary ?? `${tool ?? 'a write'} ${action}`}${reversibility ? ` (${reversibility}${undo ? `: ${undo}` : ''})` : ''}`,
          ),
          width,
        )}`
      : undefined,
    one.mechanism === undefined && asked.length > 0
      ? `What the records say\n${bullets(
          asked.map(
            ({ mechanism, because, likely }) => `${mechanism}${likely ? ' (likely)' : ''}: ${because}`,
          ),
          width,
        )}`
      : undefined,
    one.timeline.length > 0
      ? table(
          ['Entry', 'At', 'Who', 'What'],
          one.timeline.map(({ entry, at, actor, text }) => [String(entry), formatTime(at), actor, text]),
          width,
        )
      : undefined,
    one.nextEntry !== undefined ? `More: --after ${one.nextEntry}` : undefined,
  );
}

const endedText = (ended: Readonly<Record<string, number>>): string => {
  const parts = Object.entries(ended).map(([what, count]) => `${count} ${what}`);
  return parts.length > 0 ? parts.join(', ') : 'nothing';
};
