import canonicalize from 'canonicalize';
import type { Agent, Segment } from '../agent.ts';
import { type ListEntry, listsIn, listsOf, type NamedLists } from '../lists.ts';
import {
  approvalOf,
  describeStages,
  type Grant,
  type Release,
  rulesOf,
  toolsOf,
  unlessOf,
} from '../release.ts';
import { withoutKeys } from './without-keys.ts';

/** One line of what would change, for people. */
export interface Change {
  sign: '+' | '-' | '~';
  what: string;
  detail?: string;
}

const ENTRIES_SHOWN = 20;

interface ToolGrant {
  tool: string;
  grant: Grant;
  /** What it stands for: with the entries of the lists it depends on. */
  text: string | undefined;
  /** What is written, whatever the lists hold. */
  words: string | undefined;
}

/** The store keeps no order of keys: two texts are equal when the values are. */
const textOf = (value: unknown): string | undefined => canonicalize(value);

function grantsOf(release: Release): ToolGrant[] {
  const lists = listsOf(release);
  return release.grants.flatMap((grant) => {
    const conditions = [
      grant.when ?? '',
      unlessOf(grant) ?? '',
      ...rulesOf(grant).map(({ when }) => when),
    ].join('\n');
    const named = listsIn(conditions, lists);
    return toolsOf(grant).map((tool) => {
      const written = { ...grant, tool, name: undefined };
      return { tool, grant, words: textOf(written), text: textOf([written, named]) };
    });
  });
}

/** What a release gives and takes against the one in force. */
export function diffReleases(before: Release | undefined, after: Release): Change[] {
  const old = before ? grantsOf(before) : [];
  const fresh = grantsOf(after);
  const differs = fresh.filter(({ text }) => !old.some((grant) => grant.text === text));
  const gone = old.filter(({ text }) => !fresh.some((grant) => grant.text === text));
  const moved = differs.filter(({ words }) => gone.some((grant) => grant.words === words));
  const added = differs.filter((grant) => !moved.includes(grant));
  const removed = gone.filter(({ words }) => !moved.some((grant) => grant.words === words));
  return [
    ...diffLists(before ? listsOf(before) : {}, listsOf(after)),
    ...removed.map(
      ({ tool, grant }): Change => ({ sign: '-', what: `grant ${tool}`, detail: describeGrant(grant) }),
    ),
    ...added.map(
      ({ tool, grant }): Change => ({ sign: '+', what: `grant ${tool}`, detail: describeGrant(grant) }),
    ),
    ...moved.map(
      ({ tool, grant }): Change => ({
        sign: '~',
        what: `grant ${tool}`,
        detail: `${describeGrant(grant)} (with the list as it is now)`,
      }),
    ),
  ];
}

/** Which entries come and which go, list by list. */
function diffLists(before: NamedLists, after: NamedLists): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): Change[] => {
    const [old, fresh] = [new Set(before[name]), new Set(after[name])];
    const comes = [...fresh].filter((entry) => !old.has(entry));
    const goes = [...old].filter((entry) => !fresh.has(entry));
    const sign = before[name] === undefined ? '+' : after[name] === undefined ? '-' : '~';
    if (sign === '~' && comes.length + goes.length === 0) return [];
    const detail = [...said('with', comes), ...said('without', goes)].join('; ') || 'empty';
    return [{ sign, what: `list ${name}`, detail }];
  });
}

function said(word: string, entries: readonly ListEntry[]): string[] {
  if (entries.length === 0) return [];
  const shown = entries.slice(0, ENTRIES_SHOWN).map((entry) => JSON.stringify(entry));
  const more = entries.length - shown.length;
  return [`${word} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

/**
 * Whether a release only takes away: every grant that lets something through stood in the one before, and nothing that
 * held others back is gone. A denial holds every grant of its tool back, an asking grant those that ask less.
 */
export function onlyTakesAway(before: Release, after: Release): boolean {
  const [old, fresh] = [grantsOf(before), grantsOf(after)];
  const kept = new Set(fresh.map(({ text }) => text));
  const known = new Set(old.map(({ text }) => text));
  const lets = ({ grant }: ToolGrant) => grant.deny === undefined;
  const held = old.every((gone) => {
    if (kept.has(gone.text)) return true;
    if (!lets(gone)) return false;
    return !approvalOf(gone.grant) || !fresh.some((grant) => grant.tool === gone.tool && lets(grant));
  });
  return held && fresh.every((grant) => !lets(grant) || known.has(grant.text));
}

/** "asks desk, unless args.amount < 100", "runs unasked when args.amount < 100", "denied: no refunds". */
export function describeGrant(grant: Grant): string {
  if (grant.deny !== undefined) return `denied${when(grant)}: ${grant.deny}`;
  const policy = approvalOf(grant);
  if (!policy) return `runs unasked${when(grant)}`;
  const strict = policy.strictBehind ? ', for people it knows alone' : '';
  const unless = unlessOf(grant);
  return `asks ${describeStages(policy)}${strict}${when(grant)}${unless === undefined ? '' : `, unless ${unless.trim()}`}`;
}

const when = (grant: Grant): string => (grant.when ? ` when ${grant.when.trim()}` : '');

/** What a new manifest changes for an agent, part by part. */
export function diffAgents(before: Agent | undefined, after: Agent): Change[] {
  const parts = ['people', 'approvers', 'tools', 'metrics', 'attributes'] as const;
  const changes = parts.flatMap((part) =>
    diffRecords(part.replace(/s$/, ''), before?.[part] ?? {}, after[part]),
  );
  changes.push(...diffSegments(before?.segments ?? [], after.segments));
  changes.push(...diffLists(before ? listsOf(before) : {}, listsOf(after)));
  const [shownBefore, shownAfter] = [before && withoutKeys(before), withoutKeys(after)];
  const scalars = [
    'owners',
    'onCall',
    'deployers',
    'reviews',
    'testMode',
    'slack',
    'webhook',
    'freezes',
    'callback',
    'assertions',
  ] as const;
  changes.push(...diffRedactions(before?.tools ?? {}, after.tools));
  for (const name of scalars) {
    const [old, fresh] = [textOf(before?.[name]), textOf(after[name])];
    if (
      old !== fresh &&
      (fresh ?? '[]') !== '[]' &&
      !(before === undefined && fresh === '{"matchEmail":false}')
    ) {
      const [shownOld, shown] = [textOf(shownBefore?.[name]), textOf(shownAfter[name])];
      const detail = shown === shownOld ? `${shown}, another key` : shown;
      changes.push({ sign: before ? '~' : '+', what: name, detail });
    }
  }
  return changes;
}

/** Which segments come, go and are others now; and where the new ones stand, unless they come last: the first match decides. */
function diffSegments(before: readonly Segment[], after: readonly Segment[]): Change[] {
  const named = (all: readonly Segment[], name: string) => all.find((one) => one.name === name);
  const change = (sign: Change['sign'], { name, when }: Segment): Change => ({
    sign,
    what: `segment ${name}`,
    detail: when.trim(),
  });
  const gone = before.filter(({ name }) => !named(after, name));
  const fresh = after.filter(({ name }) => !named(before, name));
  const order = after.map(({ name }) => name).join(', ');
  const lasting = [...before.filter((one) => !gone.includes(one)), ...fresh].map(({ name }) => name);
  return [
    ...gone.map((one) => change('-', one)),
    ...after.flatMap((one) => {
      const was = named(before, one.name);
      return was && textOf(was) !== textOf(one) ? [change('~', one)] : [];
    }),
    ...fresh.map((one) => change('+', one)),
    ...(order === lasting.join(', ')
      ? []
      : [{ sign: '~' as const, what: 'order of segments', detail: order }]),
  ];
}

/** What approvers, Slack and readers see from now on, and what not any more. */
function diffRedactions(before: Agent['tools'], after: Agent['tools']): Change[] {
  return Object.entries(after).flatMap(([name, { redact }]): Change[] => {
    const old = Object.hasOwn(before, name) ? (before[name]?.redact ?? []) : undefined;
    if (old === undefined) return [];
    const shown = old.filter((path) => !redact.includes(path));
    const hidden = redact.filter((path) => !old.includes(path));
    return [
      ...shown.map((path): Change => ({ sign: '-', what: `redact ${name} ${path}`, detail: UNCOVERED })),
      ...hidden.map((path): Change => ({ sign: '+', what: `redact ${name} ${path}`, detail: COVERED })),
    ];
  });
}

const UNCOVERED =
  'SHOWN from now on to approvers, in Slack, on pages and to readers of the API; what was asked before stays hidden';
const COVERED = 'hidden from now on, in what was asked before too';

function diffRecords(
  part: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): Change[] => {
    const [old, fresh] = [textOf(before[name]), textOf(after[name])];
    if (old === fresh) return [];
    return [{ sign: old === undefined ? '+' : fresh === undefined ? '-' : '~', what: `${part} ${name}` }];
  });
}
