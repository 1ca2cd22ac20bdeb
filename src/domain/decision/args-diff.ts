import canonicalize from 'canonicalize';
import { type ManifestPath, pathText } from '../problem.ts';
import { spellLine } from '../unseen.ts';
import type { CompiledTool } from './compiled.ts';
import { REDACTED, redact } from './redact.ts';

type Args = Readonly<Record<string, unknown>>;
type Redactions = CompiledTool['redactions'];

/** One difference between two argument objects. */
export interface ArgsChange {
  /** As `flights[0].no`. */
  path: string;
  /** Absent when the place is new. */
  before?: unknown;
  /** Absent when the place is gone. */
  after?: unknown;
  sign: '+' | '-' | '~';
}

/** The arguments with what was redacted put back, or why that cannot be told, without any value. */
export type MergedArgs = { ok: true; args: Record<string, unknown> } | { ok: false; message: string };

/** A value as people see it, and as it is. */
interface Seen {
  shown: unknown;
  real: unknown;
}

const ARROW = ' → ';
const KEPT_BEFORE_CHANGE = 8;

/** The differences of two argument objects that are redacted already: keys in canonical order, lists by index. */
export const diffArgs = (before: Args, after: Args): readonly ArgsChange[] =>
  changesAt({ shown: before, real: before }, { shown: after, real: after }, []);

/**
 * The differences as people may see them. Where a redacted value changed into another one, both sides are the marker:
 * that it changed is told, the values are not.
 */
export const diffRedacted = (before: Args, after: Args, redactions: Redactions): readonly ArgsChange[] =>
  changesAt(
    { shown: redact({ redactions }, before), real: before },
    { shown: redact({ redactions }, after), real: after },
    [],
  );

function changesAt(before: Seen, after: Seen, path: ManifestPath): ArgsChange[] {
  const keys = keysOf(before.shown, after.shown);
  if (keys) return keys.flatMap((key) => memberChanges(before, after, path, key));
  const hidden = before.shown === REDACTED && after.shown === REDACTED;
  const [old, fresh] = hidden ? [before.real, after.real] : [before.shown, after.shown];
  if (old === fresh || canonicalize(old) === canonicalize(fresh)) return [];
  return [{ path: pathText(path), before: before.shown, after: after.shown, sign: '~' }];
}

function memberChanges(before: Seen, after: Seen, path: ManifestPath, key: string | number): ArgsChange[] {
  const [old, fresh] = [memberOf(before, key), memberOf(after, key)];
  // Most members are the same, and there may be fifty thousand.
  if (old.shown === fresh.shown && old.real === fresh.real && old.shown !== undefined) return [];
  const place = [...path, key];
  if (!hasMember(before.shown, key)) return [{ path: pathText(place), after: fresh.shown, sign: '+' }];
  if (!hasMember(after.shown, key)) return [{ path: pathText(place), before: old.shown, sign: '-' }];
  return changesAt(old, fresh, place);
}

/** The members of two lists or of two objects, in order; nothing of anything else. */
function keysOf(was: unknown, is: unknown): readonly (string | number)[] | undefined {
  if (Array.isArray(was) && Array.isArray(is))
    return Array.from({ length: Math.max(was.length, is.length) }, (_, index) => index);
  if (!isObject(was) || !isObject(is)) return undefined;
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].sort(byCanonicalOrder);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const memberOf = ({ shown, real }: Seen, key: string | number): Seen => ({
  shown: ownMember(shown, key),
  real: ownMember(real, key),
});

const ownMember = (value: unknown, key: string | number): unknown =>
  hasMember(value, key) ? (value as Record<string | number, unknown>)[key] : undefined;

const hasMember = (value: unknown, key: string | number): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key);

/** By UTF-16 code units, as RFC 8785 sorts; indexes by number. */
function byCanonicalOrder(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * One line for people of at most `max` UTF-16 units: `~ flights[0].no: "HAT1" → "HAT2"`. What does not fit is cut and
 * says so by "…"; two long values are cut to where they begin to differ. Characters that cannot be seen are spelled out.
 */
export function describeChange({ sign, path, before, after }: ArgsChange, max: number): string {
  const head = `${sign} ${plain(path)}: `;
  const texts = sign === '~' ? [textOf(before), textOf(after)] : [textOf(sign === '+' ? after : before)];
  const room = max - head.length - ARROW.length * (texts.length - 1);
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const fitting = total <= room ? texts : shorten(texts, room);
  return cut(head + fitting.join(ARROW), max);
}

function shorten(texts: readonly string[], room: number): string[] {
  const from = Math.max(0, commonStart(texts) - KEPT_BEFORE_CHANGE);
  const tails = from === 0 ? texts : texts.map((text) => `…${text.slice(from).replace(LOW_SURROGATE, '')}`);
  const total = tails.reduce((sum, text) => sum + text.length, 0);
  const share = Math.floor(room / tails.length);
  return tails.map((text) => cut(text, Math.max(share, room - (total - text.length))));
}

const LOW_SURROGATE = /^[\uDC00-\uDFFF]/;

function commonStart([a = '', b]: readonly string[]): number {
  if (b === undefined) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

const textOf = (value: unknown): string => plain(canonicalize(value) ?? '');
const plain = (text: string): string => spellLine(text, (codePoint) => `\\u{${codePoint.toString(16)}}`);
const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, Math.max(0, max - 1)).replace(/\p{Surrogate}$/u, '')}…`;

/**
 * What a person meant who edited the redacted form: where the marker stands untouched, the original value comes back.
 * A marker that stands anywhere else, inside other text or in a list of which items were added, removed or moved is an
 * error: nobody can tell which value it stood for.
 */
export function mergeRedacted(edited: Args, original: Args, redactions: Redactions): MergedArgs {
  const merger = new Merger();
  const seen = { shown: redact({ redactions }, original), real: original };
  const args = merger.merge(edited, seen, []) as Record<string, unknown>;
  return merger.message === undefined ? { ok: true, args } : { ok: false, message: merger.message };
}

class Merger {
  message: string | undefined;

  merge(edited: unknown, seen: Seen, path: ManifestPath): unknown {
    if (typeof edited === 'string') return this.#text(edited, seen, path);
    if (typeof edited !== 'object' || edited === null) return edited;
    if (Array.isArray(edited)) {
      this.#checkList(edited, seen, path);
      return edited.map((item, at) => this.merge(item, memberOf(seen, at), [...path, at]));
    }
    const entries = Object.entries(edited).map(([key, member]): [string, unknown] => [
      key,
      this.merge(member, memberOf(seen, key), [...path, key]),
    ]);
    return Object.fromEntries(entries);
  }

  #text(edited: string, { shown, real }: Seen, path: ManifestPath): unknown {
    if (!edited.includes(REDACTED)) return edited;
    if (edited === shown) return real;
    this.#refuse(
      `${place(path)} has the marker ${REDACTED} where no redacted value was. Write the value out`,
    );
    return edited;
  }

  /** Items are told apart by their index alone, so none with a marker may have come to another one. */
  #checkList(edited: readonly unknown[], { shown }: Seen, path: ManifestPath): void {
    if (!Array.isArray(shown) || !hasMarker(edited)) return;
    const now = edited.map((item) => canonicalize(item));
    const before = shown.map((item) => canonicalize(item));
    const gone = new Set(before.filter((item, at) => now[at] !== item));
    const moved = now.some((item, at) => hasMarker(edited[at]) && item !== before[at] && gone.has(item));
    if (edited.length === shown.length && !moved) return;
    this.#refuse(
      `items of ${place(path)} were added, removed or moved, so its ${REDACTED} values cannot be told apart. ` +
        'Write these values out, or leave the items where they were',
    );
  }

  #refuse(message: string): void {
    this.message ??= message;
  }
}

const place = (path: ManifestPath): string => `"${plain(pathText(path))}"`;

function hasMarker(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(REDACTED);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMarker);
}
