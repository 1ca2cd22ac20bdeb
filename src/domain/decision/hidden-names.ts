import { EVERY_MEMBER } from '../schema/every-member.ts';
import type { RedactStep } from './redact.ts';

type Path = readonly RedactStep[];

const COMPARED_MAX = 60;

/**
 * What is said of arguments, or `instead` where that would name a member of something redacted: in a map the names are
 * values, too.
 */
export function withoutHiddenNames(
  said: string,
  args: unknown,
  redactions: readonly Path[],
  instead = 'what is redacted of them does not fit',
): string {
  const names = new Set(redactions.flatMap((path) => namesUnder(args, path)));
  for (const name of names) if (isNamedIn(said, name)) return instead;
  return said;
}

function namesUnder(value: unknown, path: Path): string[] {
  const [step, ...rest] = path;
  if (step === undefined) return namesIn(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return namesIn(value);
  const isMap = step.name === EVERY_MEMBER;
  const members = Object.entries(value).filter(([name]) => isMap || name === step.name);
  return [
    ...(isMap ? members.map(([name]) => name) : []),
    ...members.flatMap(([, member]) => itemsOf(member, step.lists).flatMap((item) => namesUnder(item, rest))),
  ];
}

/** As deep as the path has brackets; what is no list there is redacted whole. */
const itemsOf = (value: unknown, lists: number): unknown[] =>
  lists > 0 && Array.isArray(value) ? value.flatMap((item) => itemsOf(item, lists - 1)) : [value];

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return Object.entries(value).flatMap(([name, member]) => [name, ...namesIn(member)]);
}

/** As a whole word of a path or in quotes, in whatever form the validator writes it. */
function isNamedIn(said: string, name: string): boolean {
  const cut = name.slice(0, COMPARED_MAX);
  const forms = [cut, cut.replaceAll('~', '~0').replaceAll('/', '~1'), JSON.stringify(cut).slice(1, -1)];
  const end = cut === name ? '(?![\\p{L}\\p{N}_])' : '';
  return forms.some((form) =>
    new RegExp(`(?:^|[^\\p{L}\\p{N}_])${form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}${end}`, 'u').test(
      said,
    ),
  );
}
