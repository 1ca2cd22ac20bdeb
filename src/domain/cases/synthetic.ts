import { asSchema, type JsonSchema, propertyOf } from '../schema/json-schema.ts';
import { validatorFor } from '../schema/schema.ts';

type Values = Readonly<Record<string, unknown>>;

/** Texts and numbers that were replaced, so that what was equal stays equal wherever it stands. */
export class Synthetic {
  readonly #texts = new Map<string, string>();
  readonly #taken: ReadonlySet<string>;

  /**
   * `kept`: texts that the conditions compare with; they are of the release and of no person. `original`: what is replaced, so
   * that nothing that is made up is by chance the value of another member.
   */
  constructor(
    readonly kept: ReadonlySet<string>,
    original: unknown,
  ) {
    this.#taken = new Set([...kept, ...textsIn(original)]);
  }

  /** The like of a value, made up: of the same type and length of lists, and as its schema says. */
  of(value: unknown, schema?: JsonSchema): unknown {
    if (Array.isArray(value)) return value.map((item) => this.of(item, asSchema(schema?.items)));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value as Values).map(([name, member]) => [
          name,
          this.of(member, schema && propertyOf(schema, name)),
        ]),
      );
    if (typeof value === 'string') return this.#text(value, schema);
    return typeof value === 'number' ? numberLike(value, schema) : value;
  }

  #text(value: string, schema: JsonSchema | undefined): string {
    if (Array.isArray(schema?.enum) || schema?.const !== undefined || this.kept.has(value)) return value;
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const number = this.#texts.size + 1;
    const tried = [number, number + 27, number + 101].flatMap((n) => [
      likeShape(value, n, true),
      likeShape(value, n, false),
    ]);
    const isFree = (one: string): boolean =>
      one !== value && !this.#taken.has(one) && ![...this.#texts.values()].includes(one);
    const free = tried.filter(isFree);
    const text = free.find((one) => fitsPattern(one, schema)) ?? free[0] ?? `value-${number}`;
    this.#texts.set(value, text);
    return text;
  }
}

/** Whether a text is what its schema wants of one by itself. */
const fitsPattern = (text: string, schema: JsonSchema | undefined): boolean =>
  typeof schema?.pattern !== 'string' ||
  validatorFor({ type: 'string', pattern: schema.pattern }).misfit(text) === undefined;

/**
 * Digits become those of `number`, letters the same letter of their case: a pattern of classes and lengths still fits. Without
 * `letters` those stay, for a pattern that spells them.
 */
function likeShape(value: string, number: number, letters: boolean): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return `2000-01-${String((number % 28) + 1).padStart(2, '0')}`;
  const digits = String(number).padStart(value.replace(/\D/g, '').length, '0').split('').reverse();
  let at = 0;
  const letter = String.fromCharCode(97 + (number % 26));
  return [...value]
    .reverse()
    .map((character) => {
      if (/\d/.test(character)) return digits[at++] ?? '0';
      if (!letters && /[a-z]/i.test(character)) return character;
      if (/[a-z]/.test(character)) return letter;
      if (/[A-Z]/.test(character)) return letter.toUpperCase();
      return /[\s@._+/:-]/.test(character) ? character : 'x';
    })
    .reverse()
    .join('');
}

/** The smallest number that the schema lets be, else 1; the shrinker keeps the original where a condition reads it. */
function numberLike(value: number, schema: JsonSchema | undefined): number {
  const least = typeof schema?.minimum === 'number' ? schema.minimum : Math.min(1, Math.abs(value));
  return Array.isArray(schema?.enum) ? value : least;
}

const textsIn = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(textsIn)
    : typeof value === 'string'
      ? [value]
      : [];
