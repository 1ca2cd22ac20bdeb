import { spellUnseen } from '../unseen.ts';
import { lanesOf } from './lanes.ts';
import { COLUMNS } from './stages.ts';
import { figureText, headText } from './text.ts';
import type { Line, SystemView } from './view.ts';

/** The same as text for Mermaid: columns as subgraphs (the trust boundaries), a node per stage, a way per tool or risk. */
export function mermaidSystem(
  view: SystemView,
  { idle = false }: { idle?: boolean | undefined } = {},
): string {
  const lanes = lanesOf(view).filter(({ line, lit }) => idle || lit || line !== 'idle');
  const lit = view.stages.filter((stage) => stage.lit && !stage.failed).map(({ id }) => id);
  const failed = view.stages.filter((stage) => stage.failed).map(({ id }) => id);
  return [
    `%% ${quoted(headText(view))}`,
    'flowchart LR',
    ...COLUMNS.map((column) => columnPart(view, column)),
    ...lanes.map(({ name, tool }, at) => `  tool${at}["${quoted(`${name}: ${figureText(tool)}`)}"]`),
    '  rule --> approvers --> begin --> credential --> gateway',
    '  switch --> epoch --> begin',
    '  surfaces --> agents --> versions --> segments --> release --> arm --> rule',
    ...lanes.map(({ line }, at) => `  gateway ${ARROW[line]} tool${at}`),
    ...lanes.map(({ line }, at) => `  tool${at} ${line === 'idle' ? '-.->' : '-->'} outcomes`),
    '  outcomes --> guardrails --> judge --> business',
    ...(lit.length > 0 ? ['  classDef lit stroke-width:3px', `  class ${lit.join(',')} lit`] : []),
    ...(failed.length > 0
      ? ['  classDef failed stroke-width:4px,stroke-dasharray:8 4', `  class ${failed.join(',')} failed`]
      : []),
    '',
  ].join('\n');
}

const ARROW: Readonly<Record<Line, string>> = {
  enforced: '==>|enforced|',
  advisory: '-.->|advisory|',
  outside: '-.->|seen without a begin|',
  idle: '-.->|idle|',
};

const columnPart = (view: SystemView, column: string): string =>
  [
    `  subgraph ${column}`,
    ...view.stages
      .filter((stage) => stage.column === column)
      .map(({ id, title, figures, failed }) => {
        const words = `${title}: ${figureText(figures)}${failed ? ' (FAILED HERE)' : ''}`;
        return `    ${id}["${quoted(words)}"]`;
      }),
    '  end',
  ].join('\n');

/** Nothing from elsewhere ends the label or begins markup. */
const quoted = (words: string): string =>
  spellUnseen(words, (codePoint) => `\\u{${codePoint.toString(16)}}`).replace(
    /[#&<>"`\n[\]{}|%;]/g,
    (char) => `#${char.charCodeAt(0)};`,
  );
