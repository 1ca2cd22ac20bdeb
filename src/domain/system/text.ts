import { spanWords } from '../duration.ts';
import type { Figures, SystemView, ToolView } from './view.ts';

const PER_CENT = 100;

/** A stage's or a tool's figures in one line. */
export function figureText({ events, perMinute, p95Ms, errors, errorShare }: Figures): string {
  const parts = [
    String(events),
    events > 0 && `${Number(perMinute.toPrecision(2))}/min`,
    p95Ms !== null && `p95 ${spanWords(p95Ms)}`,
    errors !== null &&
      errors > 0 &&
      `errors ${errors}${errorShare === null ? '' : ` (${Number((errorShare * PER_CENT).toPrecision(2))} %)`}`,
  ];
  return parts.filter((part) => part !== false).join(' · ');
}

/** `2026-12-01 14:03:22`, UTC. */
export const momentText = (at: string): string => at.slice(0, 19).replace('T', ' ');

/** What the picture is of. */
export function headText({ asOf, from, agents, incident }: SystemView): string {
  const of = agents.length === 1 ? agents[0] : `${agents.length} agents`;
  const when = `as at ${momentText(asOf)}, of what was asked since ${momentText(from)} (UTC)`;
  return incident === undefined ? `${of}, ${when}` : `${of}, ${when}, when ${incident.id} was opened`;
}

/** What became of what was asked for a tool. */
export const decidedText = ({ events, denied, waited }: ToolView): string =>
  [`asked ${events}`, waited > 0 && `people ${waited}`, denied > 0 && `denied ${denied}`]
    .filter((part) => part !== false)
    .join(' · ');

export const begunText = ({ kind, begun, p95Ms }: ToolView): string =>
  kind === 'read' ? 'a read' : `begun ${begun}${p95Ms === null ? '' : ` · p95 ${spanWords(p95Ms)}`}`;

export const doneText = ({ kind, executed, errors, corrected }: ToolView): string =>
  kind === 'read'
    ? ''
    : [`done ${executed}`, errors ? `errors ${errors}` : false, corrected > 0 && `corrected ${corrected}`]
        .filter((part) => part !== false)
        .join(' · ');

/** Cut to so many characters. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 3)}...`;
