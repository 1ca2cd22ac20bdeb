import type { ManifestKind } from '../domain/manifest/json-schemas.ts';
import { type Member, membersOf } from '../domain/manifest/members.ts';

const ABOUT = `# Every member of a manifest

Made from the schemas by \`npx tsx src/cli/docs.ts\`; a test holds it up to date. What they are for is in
[Manifests](manifests.md). \`*\` is every name, \`[]\` every entry of a list; those in bold must be there.
`;

const KINDS = { agent: 'agent.yaml', release: 'release.yaml' } as const satisfies Partial<
  Record<ManifestKind, string>
>;

/** The generated page of every member; what several places share stands once. */
export const membersPage = (): string =>
  [
    ABOUT,
    ...Object.entries(KINDS).map(
      ([kind, file]) =>
        `## ${file}\n\n| member | what it is | it may be |\n|---|---|---|\n${rowsOf(membersOf(kind as keyof typeof KINDS)).join('\n')}\n`,
    ),
  ].join('\n');

/** Members whose like was told before, and where. */
const SHARED: readonly (readonly [string, string])[] = [
  ['toolDefaults[].', 'tools.*.'],
  ['rollout.constrained[].gate.', 'rollout.baseline.gate.'],
  ['rollout.scale[].', 'rollout.constrained[].'],
  ['grants[].approval.stages[].', 'grants[].approval.'],
];

const rowsOf = (members: readonly Member[]): string[] =>
  members.filter((one) => !isTold(one, members)).map(rowOf);

const isTold = ({ path, about }: Member, members: readonly Member[]): boolean =>
  SHARED.some(
    ([begin, like]) =>
      path.startsWith(begin) &&
      members.some((one) => one.path === like + path.slice(begin.length) && one.about === about),
  );

function rowOf({ path, about, values, fallback, required }: Member): string {
  const name = required ? `**\`${path}\`**` : `\`${path}\``;
  const known = fallback === undefined || typeof fallback === 'object' ? '' : `default ${String(fallback)}`;
  const may = [[...new Set(values)].join(', '), known].filter((part) => part !== '').join('; ');
  return `| ${name} | ${cell(about ?? '')} | ${cell(may)} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');
