import { AGENT_YAML, RELEASE_2_YAML } from '../support/fixtures.ts';

type Schema = Record<string, unknown>;
interface Operation {
  operationId: string;
  parameters?: { name: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema & { properties?: Record<string, unknown> } }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** A stream that never ends has no answer to be looked at. */
const ENDLESS = new Set(['followEvents']);
/** What would only keep the fuzzer waiting. */
const SHORT_WAIT = { type: 'string', enum: ['0', '1ms', '0s', '01'] };
/** Nothing that is made up shall be called. */
const NOWHERE = { type: 'string', enum: ['https://fuzz.invalid/', 'http://fuzz.invalid:81/a?b=%00', 'fuzz'] };

const MANIFESTS: Readonly<Record<string, readonly string[]>> = {
  applyAgent: [AGENT_YAML, AGENT_YAML.replace('[ana, ben]', '[ana]')],
  createRelease: [RELEASE_2_YAML, RELEASE_2_YAML.replace('release: 2', 'release: 3')],
  replay: [RELEASE_2_YAML],
};
/** As the tool `cancel` takes them. */
const ARGS = {
  type: 'object',
  required: ['id'],
  additionalProperties: false,
  properties: { id: { type: 'string' }, note: { type: 'string' }, card: { type: 'string' } },
};

/**
 * The operations of the document that the service serves which are asked for. Requests that would keep the fuzzer waiting
 * or call others are left out. `narrow`: where nearly all that the schema allows comes to the same refusal, only what gets
 * past it. What answers must look like is not touched.
 */
export function toTry(
  served: unknown,
  { isAsked, narrow }: { isAsked: (operationId: string) => boolean; narrow: boolean },
): unknown {
  const document = structuredClone(served) as Document;
  for (const methods of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (ENDLESS.has(operation.operationId) || !isAsked(operation.operationId)) delete methods[method];
      else adapt(operation, narrow);
    }
  }
  return document;
}

function adapt({ operationId, parameters, requestBody }: Operation, narrow: boolean): void {
  for (const parameter of parameters ?? []) if (parameter.name === 'wait') parameter.schema = SHORT_WAIT;
  for (const [type, content] of Object.entries(requestBody?.content ?? {})) {
    callNobody(content.schema);
    const { properties } = content.schema;
    if (properties && operationId === 'setSwitch') delete properties.wait;
    if (narrow && properties?.args) properties.args = ARGS;
    const manifests = MANIFESTS[operationId];
    if (!narrow || !manifests) continue;
    if (type === 'application/yaml') content.schema = { type: 'string', enum: [...manifests] };
    else delete requestBody?.content[type];
  }
}

function callNobody(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, part] of Object.entries(schema)) {
    const isAddress = (part as { format?: unknown } | null)?.format === 'uri';
    if (isAddress) Object.assign(schema, { [key]: NOWHERE });
    else callNobody(part);
  }
}
