import { FAILED_STAGE } from './mechanisms.ts';
import { COLUMNS, STAGES, type Stage } from './stages.ts';

const OWNERS: Readonly<Record<Stage['owner'], string>> = {
  deployers: 'whoever deploys the agent',
  owners: 'owners of the agent',
  approvers: 'the approver groups',
  onCall: 'on-call',
  platform: 'whoever runs the service',
};

const ABOUT = `# The system, stage by stage

Made from the table that the page \`/system\`, \`GET /v1/system\` and \`portcullis system\` use
(\`src/domain/system/stages.ts\`) by \`npx tsx src/cli/docs.ts\`; a test holds it up to date.

What is drawn comes from records alone: of what was asked in the window (an hour, unless you say otherwise), how far it
came. What was asked before the window is not in it, even where people answer it now. At most 20,000 questions are looked
at, newest first; where there were more the window is shortened, and says so. \`--at\` shows the same as it stood then,
\`--incident\` as it stood when that incident was opened, with its path lit and the link that failed.

- A solid line is enforced: no write without a begin and its credential.
- A hatched line is advisory: the agent also holds a key of its own. What it does with it nobody here can list, so the
  view says "cannot tell".
- A dashed line, red: writes were seen upstream that had no begin. Incidents of the mechanism \`around_gate\` say so.
- A thin grey line: nothing in the window. Hidden unless you ask for it; its place stays free.
`;

/** `docs/system.md`, as it must be. */
export function systemPage(): string {
  return [ABOUT, ...COLUMNS.map(columnPart), mechanismPart()].join('\n');
}

const columnPart = (column: string): string =>
  [
    `## ${column[0]?.toUpperCase()}${column.slice(1)}\n`,
    ...STAGES.filter((stage) => stage.column === column).map(stagePart),
  ].join('\n');

function stagePart(stage: Stage): string {
  const { title, inputs, outputs, boundary, whenBroken, counts, errors, takes, owner, lookAt } = stage;
  const link = lookAt.doc.replace(/^docs\//, '');
  return `### ${title}

| | |
|---|---|
| inputs | ${inputs} |
| outputs | ${outputs} |
| failure boundary | ${boundary} |
| when it is broken | ${whenBroken} |
| counts | ${counts}${errors === undefined ? '' : `; errors: ${errors}`}${takes === undefined ? '' : `; p95: ${takes}`} |
| owner | ${OWNERS[owner]} |
| look at | [${link}](${link}), \`${lookAt.test}\` |
`;
}

const mechanismPart = (): string => `## Which link failed

| mechanism of an incident | the stage that is marked |
|---|---|
${Object.entries(FAILED_STAGE)
  .map(([mechanism, id]) => `| \`${mechanism}\` | ${STAGES.find((stage) => stage.id === id)?.title} |`)
  .join('\n')}

One that is not classified lights its path and marks no link.
`;
