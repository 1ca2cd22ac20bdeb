import { formatNumber } from './format.ts';
import { bullets, paragraph, sections } from './render.ts';

/** What one question came to. */
export interface TestedSource {
  metric: string;
  segment: string;
  kind: string;
  from: string;
  to: string;
  sent: readonly string[];
  events?: number;
  harms?: number;
  /** Why nothing would be counted. */
  problem?: string;
  none?: true;
}

/** What each source was asked, and what would be counted of its answer. */
export const sourcesText = (tested: readonly TestedSource[], width: number): string =>
  sections(...tested.map((one) => sourceText(one, width)));

function sourceText({ metric, segment, kind, from, to, sent, ...said }: TestedSource, width: number): string {
  const head = paragraph(`${metric} in ${segment} (${kind}), ${from} to ${to}: ${countedText(said)}`, width);
  return sent.length === 0 ? head : `${head}\n${bullets([...sent], width)}`;
}

function countedText({
  events,
  harms,
  problem,
  none,
}: Pick<TestedSource, 'events' | 'harms' | 'problem' | 'none'>): string {
  if (problem !== undefined) return `nothing would count: ${problem}`;
  if (none)
    return 'it knows of no such events. Of a release that nobody met yet that is right; later it would be source-down';
  const share =
    events === 0 || events === undefined ? '' : `, a share of ${formatNumber((harms ?? 0) / events)}`;
  return `${harms} harms among ${events} events would count${share}`;
}
