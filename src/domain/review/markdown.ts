import type { PageTable, ReviewPage } from './page-form.ts';

/** A page as Markdown; what people wrote is escaped, so that it can be no link, no mention and no markup. */
export function pageMarkdown({ title, version, quiet, sections, charts }: ReviewPage): string {
  const parts = sections.map(({ title: name, lines, table }, index) =>
    [
      `## ${index} ${name}`,
      ...(lines.length > 0
        ? [lines.map(({ text, ref }) => `- ${escaped(text)}${ref ? ` (${escaped(ref)})` : ''}`).join('\n')]
        : []),
      ...(table ? [tableText(table)] : []),
    ].join('\n\n'),
  );
  const drawn = charts.map(
    ({ agent, metric, segment, verdict }) =>
      `- ${escaped(`${metric} in ${segment} of ${agent}: ${verdict}`)}`,
  );
  return `${[
    `# ${title}${version > 1 ? `, version ${version}` : ''}`,
    ...(quiet === null ? [] : [escaped(quiet)]),
    ...parts,
    ...(drawn.length > 0 ? [`Drawn on the page:\n\n${drawn.join('\n')}`] : []),
  ].join('\n\n')}\n`;
}

/** A verdict that changed is said in words as well: no reader depends on colour. */
const MARKS = { worse: '**changed**', better: '*changed*' } as const;

const tableText = ({ head, rows }: PageTable): string =>
  [
    `| ${head.join(' | ')} | |`,
    `|${head.map(() => ' --- |').join('')} --- |`,
    ...rows.map(
      ({ cells, colour }) => `| ${cells.map(escaped).join(' | ')} | ${colour ? MARKS[colour] : ''} |`,
    ),
  ].join('\n');

const escaped = (text: string): string =>
  text.replace(/[\\`*_[\]<>|#@!]/g, (char) => (char === '_' ? char : `\\${char}`)).replace(/\s+/g, ' ');
