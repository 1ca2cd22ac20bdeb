import { figureText } from '../../domain/business/figure.ts';
import { armsSentence, beforeText, figuresOf } from '../../domain/business/words.ts';
import type { WireBusiness } from '../wire.ts';
import { formatTime, scaledDayNote } from './format.ts';
import { bullets, paragraph, sections, table } from './render.ts';

/** Business figures for people: each with what it is made of. */
export function businessText(found: WireBusiness, width: number): string {
  const { agent, from, to, matureBefore, dayMs, whole, segments, before } = found;
  const title = `${agent}, ${formatTime(from)} to ${formatTime(to)}; complete and mature up to ${formatTime(matureBefore)}`;
  return sections(
    scaledDayNote(dayMs),
    paragraph(title, width),
    ...figuresOf(whole).map((one) => {
      const unknown = one.unknown.map((what) => `NOT KNOWN: ${what}`);
      const lines = [...one.inputs, ...unknown, `technical signal: ${one.signal}`];
      return `${paragraph(`${one.name}: ${figureText(one)}`, width)}\n${bullets(lines, width)}`;
    }),
    segments.length > 0 ? segmentsText(segments, width) : undefined,
    controlsText(found, width),
    found.arms.length > 0
      ? `Between arms\n${bullets(found.arms.map(armsSentence), width)}`
      : paragraph('No candidate ran beside what is in force: nothing here is shown to be caused.', width),
    `Before\n${bullets([`${whole.completion.name}: ${beforeText(whole.completion, before.whole.completion)}`, `${whole.correction.name}: ${beforeText(whole.correction, before.whole.correction)}`, `${whole.cost.name}: ${beforeText(whole.cost, before.whole.cost)}`], width)}`,
  );
}

function segmentsText(segments: WireBusiness['segments'], width: number): string {
  const rows = segments.map(({ segment, figures }) => [
    segment,
    figureText(figures.completion),
    figureText(figures.correction),
    figureText(figures.effort.waiting),
    figureText(figures.latency),
    figureText(figures.cost),
  ]);
  return `By segment\n${table(['segment', 'right', 'people', 'waiting', 'latency', 'cost'], rows, width)}`;
}

function controlsText({ controls }: WireBusiness, width: number): string | undefined {
  if (controls.length === 0) return undefined;
  const rows = controls.map(({ tool, stopped, friction, deniedByPolicy }) => [
    tool,
    stopped.text,
    friction.text,
    String(deniedByPolicy),
  ]);
  return `Each control: harm stopped beside friction\n${table(['tool', 'stopped', 'friction', 'by policy'], rows, width)}`;
}
