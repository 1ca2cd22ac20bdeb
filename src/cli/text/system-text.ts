import { COLUMNS } from '../../domain/system/stages.ts';
import { figureText, headText } from '../../domain/system/text.ts';
import type { StageView, SystemView, ToolView } from '../../domain/system/view.ts';
import { bullets, paragraph, sections, table } from './render.ts';

/** The view as tables, a column after the other, then the tools. */
export function systemText(view: SystemView, { idle, width }: { idle: boolean; width: number }): string {
  const { notes, stages, tools, incident } = view;
  const shown = tools.filter((tool) => idle || tool.lit || tool.line !== 'idle');
  const hidden = tools.length - shown.length;
  return sections(
    paragraph(headText(view), width),
    incident && paragraph(incidentText(incident, stages), width),
    notes.length > 0 ? bullets([...notes], width) : undefined,
    ...COLUMNS.map((column) =>
      table(
        [column, 'events, rate, p95, errors', 'owner'],
        stages.filter((stage) => stage.column === column).map(stageRow),
        width,
      ),
    ),
    shown.length > 0
      ? table(
          ['tool', 'line', 'asked', 'begun', 'done', 'wrong'],
          shown.map((tool) => toolRow(tool, view)),
          width,
        )
      : undefined,
    hidden > 0 ? paragraph(`${hidden} tools had nothing in the window (--idle).`, width) : undefined,
    ...shown
      .filter(({ line }) => line === 'outside' || line === 'advisory')
      .map(({ tool, outside }) => paragraph(`${tool}: ${outside}.`, width)),
  );
}

const incidentText = (
  { id, title, mechanism }: NonNullable<SystemView['incident']>,
  stages: readonly StageView[],
): string => {
  const failed = stages.find((stage) => stage.failed);
  return failed
    ? `${id}: ${title}. ${mechanism}: it failed at "${failed.title}" (${failed.owner}; ${failed.lookAt.doc}).`
    : `${id}: ${title}. Not classified: no link is marked.`;
};

const stageRow = ({ title, figures, owner, lit, failed }: StageView): string[] => [
  `${failed ? '✗ ' : lit ? '* ' : ''}${title}`,
  figureText(figures),
  owner,
];

const toolRow = (tool: ToolView, { agents }: SystemView): string[] => [
  `${tool.lit ? '* ' : ''}${agents.length > 1 ? `${tool.agent}/` : ''}${tool.tool}`,
  tool.line,
  String(tool.events),
  String(tool.begun),
  String(tool.executed),
  String(tool.corrected),
];
