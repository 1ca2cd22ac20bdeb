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

/** One object and a name that its schema declares. */
type Declared = [owner: object, name: string];

const NESTING_MAX = 500;

/** One validation under way. */
export class Run {
  misfit: Misfit | undefined;
  readonly #path: (string | number)[] = [];
  readonly #declared: Declared[] = [];
  #quiet = 0;
  #nesting = 0;

  constructor(readonly meter: Meter) {}

  /** Says what does not fit, unless another form may still fit; always false. */
  refuse(message: string): false {
    if (this.#quiet === 0) this.misfit ??= { path: [...this.#path], message };
    return false;
  }

  /** Looks at a member or an item. */
  at(step: string | number, look: () => boolean): boolean {
    this.#path.push(step);
    const fits = look();
    this.#path.pop();
    return fits;
  }

  /** References that lead round in a circle end here. */
  deeper(look: () => boolean): boolean {
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
    const mark = this.#declared.length;
    this.#quiet++;
    const fits = look();
    this.#quiet--;
    if (!fits) this.#declared.length = mark;
    return fits;
  }

  /** The same, and what it declares never counts. */
  attemptOnly(look: () => boolean): boolean {
    const mark = this.#declared.length;
    const fits = this.attempt(look);
    this.#declared.length = mark;
    return fits;
  }

  declare(owner: object, name: string): void {
    this.#declared.push([owner, name]);
  }

  /** The names that schemas which fit declare, per object. */
  declared(): Map<object, Set<string>> {
    const names = new Map<object, Set<string>>();
    for (const [owner, name] of this.#declared) names.set(owner, (names.get(owner) ?? new Set()).add(name));
    return names;
  }
}
