export { expect, inject, vi } from 'vitest';

type Work = () => unknown;

/** A test as its file declared it, with the hooks around it. */
export interface Collected {
  name: string;
  run: Work;
  groups: readonly Group[];
}

/** What stands in one `describe`, or in the file itself. */
export interface Group {
  name: string;
  beforeAll: Work[];
  beforeEach: Work[];
  afterEach: Work[];
  afterAll: Work[];
}

const newGroup = (name: string): Group => ({
  name,
  beforeAll: [],
  beforeEach: [],
  afterEach: [],
  afterAll: [],
});

let groups: Group[] = [];
let collected: Collected[] = [];

/** Loads a test file; what it declares is kept to be run as often as one likes. */
export async function collect(file: string, load: () => Promise<unknown>): Promise<Collected[]> {
  groups = [newGroup(file)];
  collected = [];
  await load();
  return collected;
}

const declare = (name: string, ...rest: unknown[]): void => {
  const run = rest.find((one): one is Work => typeof one === 'function');
  if (!run) return;
  const path = [...groups.map((group) => group.name), name].join(' > ');
  collected.push({ name: path, run, groups: [...groups] });
};

const enclose = (name: string, ...rest: unknown[]): void => {
  const body = rest.find((one): one is Work => typeof one === 'function');
  groups = [...groups, newGroup(name)];
  body?.();
  groups = groups.slice(0, -1);
};

type Declare = (name: string, ...rest: unknown[]) => void;

/** `each` of a table: a row of arguments, or one argument. */
const eachOf =
  (one: Declare) =>
  (rows: readonly unknown[]) =>
  (name: string, ...rest: unknown[]): void => {
    const body = rest.find((part) => typeof part === 'function') as
      | ((...args: unknown[]) => unknown)
      | undefined;
    rows.forEach((row, at) => {
      one(`${name} #${at}`, () => body?.(...(Array.isArray(row) ? row : [row])));
    });
  };

const withModes = (one: Declare) => {
  const called = Object.assign((name: string, ...rest: unknown[]) => one(name, ...rest), {
    each: eachOf(one),
  });
  return Object.assign(called, { concurrent: called, sequential: called });
};

export const test = withModes(declare);
export const it = test;
export const describe = withModes(enclose);

const hook = (kind: keyof Omit<Group, 'name'>) => (work: Work) => void groups.at(-1)?.[kind].push(work);
export const beforeAll = hook('beforeAll');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');
export const afterAll = hook('afterAll');
