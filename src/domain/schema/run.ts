import type { Meter } from './meter.ts';
import type { SchemaPath } from './refs.ts';

/** Which members and items of one value have been looked at, for the `unevaluated` keywords. */
export interface Seen {
  members: Set<string>;
  items: Set<number>;
}

/** What does not fit: where in the value, and what it must be. Never repeats a value. */
export interface Misfit {
  path: SchemaPath;
  message: string;
}

const NESTING_MAX = 500;
/** What trying a form, or following a reference, takes beside the checks in it. */
const FORM_STEPS = 4;

/** One validation under way. */
export class Run {
  misfit: Misfit | undefined;
  readonly #path: (string | number)[] = [];
  /** Objects and names that their schemas declare, in turn: what a form declared that did not fit is cut off again. */
  readonly #declared: (object | string)[] | undefined;
  #quiet = 0;
  #nesting = 0;

  constructor(
    readonly meter: Meter,
    { declares }: { declares: boolean },
  ) {
    this.#declared = declares ? [] : undefined;
  }

  /** Says what does not fit, unless another form may still fit; always false. */
  refuse(message: string): false {
    if (this.#quiet === 0) this.misfit ??= { path: [...this.#path], message };
    return false;
  }

  /** Goes to a member or an item; `leave` comes back. */
  enter(step: string | number): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** References that lead round in a circle end here. */
  deeper(look: () => boolean): boolean {
    this.meter.spend(FORM_STEPS);
    if (++this.#nesting > NESTING_MAX) {
      this.#nesting--;
      return this.refuse('is nested too deep for its schema');
    }
    const fits = look();
    this.#nesting--;
    return fits;
  }

  /** Tries a form that need not fit; where it does not, what it declared does not count. */
  attempt(look: () => boolean): boolean {
    this.meter.spend(FORM_STEPS);
    const mark = this.#declared?.length ?? 0;
    this.#quiet++;
    const fits = look();
    this.#quiet--;
    if (!fits && this.#declared) this.#declared.length = mark;
    return fits;
  }

  /** The same, and what it declares never counts. */
  attemptOnly(look: () => boolean): boolean {
    const mark = this.#declared?.length ?? 0;
    const fits = this.attempt(look);
    if (this.#declared) this.#declared.length = mark;
    return fits;
  }

  declare(owner: object, name: string): void {
    this.#declared?.push(owner, name);
  }

  /** The names that schemas which fit declare, per object. */
  declared(): Map<object, Set<string>> {
    const names = new Map<object, Set<string>>();
    const pairs = this.#declared ?? [];
    for (let at = 0; at < pairs.length; at += 2) {
      const owner = pairs[at] as object;
      const known = names.get(owner) ?? new Set();
      names.set(owner, known.add(pairs[at + 1] as string));
    }
    return names;
  }
}
