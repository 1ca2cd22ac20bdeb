import { parse } from 'yaml';
import { AGENT_YAML, RELEASE_2_YAML } from '../support/fixtures.ts';
import type { Known } from './world.ts';

type Schema = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  schema: Schema;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** A stream that never ends has no answer to be looked at. */
const ENDLESS = new Set(['followEvents']);
/** What would only keep the fuzzer waiting. */
const SHORT_WAIT = { type: 'string', enum: ['0', '1ms', '0s', '01'] };
/** Where clocks, stores and programs part ways. */
const INSTANTS = [
  '0000-01-01T00:00:00+23:59',
  '0020-02-29T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '2026-12-24T18:00:00Z',
  '2100-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-23:59',
];
/** What a column of 32 bits does not hold, and what a double does not tell from the next. */
const INTEGERS = [0, -1, 2_147_483_648, Number.MAX_SAFE_INTEGER];
/** Nothing that is made up shall be called. */
const NOWHERE = ['https://fuzz.invalid/', 'http://fuzz.invalid:81/a?b=%00', 'ftp://fuzz.invalid', 'fuzz'];

/**
 * The document as the service serves it, except that names and ids which are there are likely to be asked for. What is
 * allowed stays allowed; what answers must look like is not touched.
 */
export function withKnown(served: unknown, known: Known): unknown {
  const document = structuredClone(served) as Document;
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (ENDLESS.has(operation.operationId)) delete methods[method];
      else seedOperation(path, operation, known);
    }
  }
  return document;
}

function seedOperation(
  path: string,
  { operationId, parameters, requestBody }: Operation,
  known: Known,
): void {
  const seeds = seedsOf(path, known);
  for (const parameter of parameters ?? []) {
    if (operationId === 'getAction' && parameter.name === 'wait') parameter.schema = SHORT_WAIT;
    else parameter.schema = seeded(parameter.name, parameter.schema, seeds);
  }
  for (const [type, content] of Object.entries(requestBody?.content ?? {})) {
    seedProperties(content.schema, seeds);
    if (operationId === 'setSwitch') delete (content.schema.properties as Schema).wait;
    const manifest = MANIFESTS[operationId];
    if (manifest)
      content.schema = either([type === 'application/json' ? parse(manifest) : manifest], content.schema);
  }
}

const MANIFESTS: Readonly<Record<string, string>> = {
  applyAgent: AGENT_YAML,
  createRelease: RELEASE_2_YAML,
  simulate: RELEASE_2_YAML,
};

type Seeds = Readonly<Record<string, readonly unknown[]>>;

function seedsOf(path: string, known: Known): Seeds {
  return {
    agent: known.agents,
    id: path.startsWith('/v1/rollouts') ? known.rollouts : known.actions,
    action: known.actions,
    release: known.releases,
    tool: known.tools,
    group: known.groups,
    person: known.people,
    from: known.people,
    to: known.people,
    segment: ['gold', 'default'],
    metric: ['wrong'],
    scope: ['everything', ...known.agents.map((agent) => `agent/${agent}`)],
    args: [{ id: 'R-1' }],
    executionId: ['e-1'],
    revision: [1, 2, 3],
    round: [0, 1],
  };
}

function seedProperties(schema: unknown, seeds: Seeds): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { properties, ...rest } = schema as { properties?: Record<string, Schema> };
  for (const part of Object.values(rest)) seedProperties(part, seeds);
  for (const [name, property] of Object.entries(properties ?? {})) {
    seedProperties(property, seeds);
    if (properties) properties[name] = seeded(name, property, seeds);
  }
}

function seeded(name: string, schema: Schema, seeds: Seeds): Schema {
  if (schema.format === 'uri') return { type: 'string', enum: NOWHERE };
  if (schema.format === 'date-time') return either(INSTANTS, schema);
  if (schema.type === 'integer')
    return either([...INTEGERS.filter((n) => isWithin(n, schema)), ...(seeds[name] ?? [])], schema);
  const values = seeds[name];
  return values === undefined || values.length === 0 ? schema : either(values, schema);
}

const isWithin = (n: number, { minimum = n, maximum = n }: { minimum?: number; maximum?: number }): boolean =>
  n >= minimum && n <= maximum;

const either = (values: readonly unknown[], schema: Schema): Schema => ({
  anyOf: [{ enum: values }, schema],
});
