/** A slot, such as "0/desk" for group `desk` in stage 0, and how many people it needs. */
export interface Need {
  slot: string;
  count: number;
}

/** A person who approves, and the slots they could fill, best first. */
export interface Supporter {
  person: string;
  slots: readonly string[];
}

/** Person to slot, in the order of the supporters. */
export type Assignment = ReadonlyMap<string, string>;

/**
 * As many people on slots as possible: a person fills at most one slot, a slot takes at most `count` people (Kuhn's
 * augmenting paths). Deterministic; whoever has a place keeps one when later supporters come, and takes their best
 * free slot where that costs nothing. A person named twice counts once, with the slots of both.
 */
export function assign(needs: readonly Need[], supporters: readonly Supporter[]): Assignment {
  const slots = new Map<string, string[]>();
  for (const supporter of supporters)
    slots.set(supporter.person, [...(slots.get(supporter.person) ?? []), ...supporter.slots]);
  const placing = new Placing(countsOf(needs), slots);
  for (const person of slots.keys()) placing.place(person, new Set());
  return placing.held;
}

/** Whether every slot has its people. */
export const isFilled = (needs: readonly Need[], assignment: Assignment): boolean =>
  missingOf(needs, assignment).length === 0;

/** The slots that still lack people, and how many. */
export function missingOf(needs: readonly Need[], assignment: Assignment): Need[] {
  const missing = countsOf(needs);
  for (const slot of assignment.values()) missing.set(slot, (missing.get(slot) ?? 0) - 1);
  return [...missing].filter(([, count]) => count > 0).map(([slot, count]) => ({ slot, count }));
}

function countsOf(needs: readonly Need[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { slot, count } of needs) counts.set(slot, (counts.get(slot) ?? 0) + count);
  return counts;
}

class Placing {
  readonly held = new Map<string, string>();

  constructor(
    readonly counts: ReadonlyMap<string, number>,
    readonly slots: ReadonlyMap<string, readonly string[]>,
  ) {}

  /** Gives the person a place, if need be by moving others to another one; `tried` are the slots already looked at. */
  place(person: string, tried: Set<string>): boolean {
    const slots = (this.slots.get(person) ?? []).filter((slot) => !tried.has(slot));
    const free = slots.find((slot) => this.#holders(slot).length < (this.counts.get(slot) ?? 0));
    const slot = free ?? slots.find((taken) => this.#makeRoom(taken, tried));
    if (slot === undefined) return false;
    this.held.set(person, slot);
    return true;
  }

  #makeRoom(slot: string, tried: Set<string>): boolean {
    if (tried.has(slot)) return false;
    tried.add(slot);
    return this.#holders(slot).some((holder) => this.place(holder, tried));
  }

  #holders(slot: string): string[] {
    return [...this.held].filter(([, taken]) => taken === slot).map(([person]) => person);
  }
}
