import type { Meter } from '../schema/meter.ts';
import { CelError, type CelValue } from './values.ts';

/** Gives the value of an expression. @throws CelError, or TooMuch when the meter has run out */
export type Evaluate = (frame: Frame) => CelValue;

/** What an expression sees: its variables, and what it may still take. */
export class Frame {
  constructor(
    readonly variables: Map<string, CelValue>,
    readonly meter: Meter,
  ) {}

  /** A variable of a list walk, for as long as `work` runs. */
  with<T>(name: string, value: CelValue, work: () => T): T {
    const before = this.variables.get(name);
    this.variables.set(name, value);
    try {
      return work();
    } finally {
      if (before === undefined) this.variables.delete(name);
      else this.variables.set(name, before);
    }
  }
}

/** What an error costs beside the step itself. */
const ERROR_STEPS = 4;

/** The value, or the error that the expression gives instead. */
export function attempt(evaluate: Evaluate, frame: Frame): CelValue | CelError {
  try {
    return evaluate(frame);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    frame.meter.spend(ERROR_STEPS);
    return error;
  }
}
