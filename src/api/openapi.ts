import swagger from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { manifestJsonSchema } from '../domain/manifest/json-schemas.ts';
import type { Api } from './app.ts';
import { PROBLEM_TYPE } from './problems.ts';
import { problemSchema } from './schemas.ts';

const TAGS: Readonly<Record<string, string>> = {
  actions: 'Ask before a tool is used, decide, begin, complete',
  approvals: 'What waits for people, who answers, how they did, and its proof',
  outcomes: 'Measured facts about actions',
  agents: 'What is governed',
  releases: 'Permission sets',
  rollouts: 'Releases on their way to everyone',
  switches: 'The emergency disable',
  reviews: 'What each cycle and each week came to, and who decided what',
  'follow-ups': 'What somebody will do about it, by when, and what says that it is done',
  incidents: 'What went wrong, by which mechanism, and what became of it',
  log: 'The transparency log',
  cases: 'Regression cases: what must not happen again, and what they say of a release',
  retention: 'What is kept for how long',
  subjects: 'Customers and conversations, and what is erased of them',
  posture: 'How well an agent is covered',
  system: 'The system at a moment, drawn from records',
  tokens: 'Who may call',
  service: 'Health, metrics, keys, this document',
  ids: 'Whole ids from their beginnings',
};

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: problemSchema } },
});

/** Registers the generator; call it before the routes. */
export async function describeApi(app: Api, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Portcullis',
        version,
        description:
          'Release governance for the tool permissions of AI agents. Errors are RFC 9457 problem documents.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document);
      return { schema: named(schema), url: url.replace(/\*$/, ':scope') };
    },
    transformObject: (document) => withManifests(withoutUnused(jsonSchemaTransformObject(document))),
  });
  app.addHook('onRoute', (route) => {
    const { schema } = route;
    if (!schema || schema.hide) return;
    if (route.config?.public) schema.security = [];
    const given = (schema.response ?? {}) as Record<string, unknown>;
    schema.response = {
      ...given,
      ...(given['4xx'] ? {} : { '4xx': problem('Refused: the code says why') }),
      ...(given['5xx'] ? {} : { '5xx': problem('Not done: nothing was recorded, or not for certain') }),
    };
  });
}

interface Operation {
  requestBody?: unknown;
  parameters?: { name: string; in: string }[];
}

/** Manifests have schemas of their own, which editors use too; they may be sent as YAML. */
function withManifests<T extends object>(document: T): T {
  const { paths = {} } = document as { paths?: Record<string, Record<string, Operation | undefined>> };
  for (const [path, method, kind] of [
    ['/v1/agents/{agent}', 'put', 'agent'],
    ['/v1/agents/{agent}/releases', 'post', 'release'],
    ['/v1/replays', 'post', 'release'],
    ['/v1/preflights', 'post', 'release'],
  ] as const) {
    const operation = paths[path]?.[method];
    if (!operation) continue;
    const { $schema: _, $id: __, ...schema } = manifestJsonSchema(kind) as Record<string, unknown>;
    operation.requestBody = {
      required: true,
      content: {
        'application/json': { schema },
        'application/yaml': { schema: { type: 'string', description: `The ${kind} manifest as YAML` } },
      },
    };
  }
  return document;
}

/** A wildcard is called `scope` in the document. */
function named(schema: FastifySchema): FastifySchema {
  const params = schema.params as { properties?: Record<string, unknown> } | undefined;
  const scope = params?.properties?.['*'];
  if (scope === undefined) return schema;
  return { ...schema, params: { type: 'object', properties: { scope }, required: ['scope'] } };
}

/** Schemas of answers have no input form that anything refers to. */
function withoutUnused<T extends object>(document: T): T {
  const schemas =
    (document as { components?: { schemas?: Record<string, unknown> } }).components?.schemas ?? {};
  for (const name of Object.keys(schemas)) {
    if (name.endsWith('Input') && name.slice(0, -'Input'.length) in schemas)
      Reflect.deleteProperty(schemas, name);
  }
  return document;
}
