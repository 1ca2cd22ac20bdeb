import { z } from 'zod';
import { caseSchema } from '../cases/case.ts';
import { ratesSchema } from '../rates.ts';
import { releaseSchema } from '../release.ts';
import { agentFileSchema } from './tool-defaults.ts';

/** The kinds of manifest. */
export type ManifestKind = 'agent' | 'release' | 'rates' | 'case';

const ABOUT = {
  agent: {
    schema: agentFileSchema,
    title: 'Portcullis agent',
    description: 'The agent that is governed: its people, tools, segments and metrics',
    fields: {
      agent: 'The name of the agent',
      description: 'What the agent does, in one line',
      people: 'Everyone named below, by id',
      owners: 'Who answers for the agent; they approve gates, and no writes',
      approvers: 'Groups of people who are asked, by name',
      tools: 'Every tool the agent can call, by name',
      slack: 'Where cards and alerts go',
      segments: 'Slices of requests, in matching order; what matches none is "default"',
      metrics: 'What outcomes add up to, by name',
      freezes: 'Times in which no rollout widens',
    },
  },
  release: {
    schema: releaseSchema,
    title: 'Portcullis release',
    description: 'One immutable permission set of an agent, and how it is rolled out',
    fields: {
      agent: 'The agent it belongs to',
      release: 'Its version: a number or a name, never used twice',
      description: 'What it changes, in one line',
      grants: 'What the agent may do; what is not granted is denied',
      rollout: 'How it reaches everyone',
    },
  },
  rates: {
    schema: ratesSchema,
    title: 'Portcullis rates',
    description:
      'What harm costs, as its owner declares it; shown beside the evidence and never a part of it',
    fields: {
      agent: 'The agent whose metrics are priced',
      currency: 'The currency of every amount',
      owner: 'Who answers for the figures: one of the people of the agent',
      rates: 'One entry a metric and first day',
    },
  },
  case: {
    schema: caseSchema,
    title: 'Portcullis regression case',
    description: 'One thing that must stay so, whatever release comes',
    fields: {
      case: 'Its name: never used twice for an agent',
      agent: 'The agent whose releases it tests',
      kind: 'What it is about',
      given: 'What happens',
    },
  },
} as const;

/** The JSON Schema of a manifest as people write it, for editors (draft-07, which they all read). */
export function manifestJsonSchema(kind: ManifestKind): Record<string, unknown> {
  const { schema, title, description, fields } = ABOUT[kind];
  const { $schema, ...generated } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  const described = new Map<string, string>(Object.entries(fields));
  const properties = Object.entries(generated.properties ?? {}).map(([name, property]) => {
    const text = described.get(name);
    return [
      name,
      typeof property === 'object' && text !== undefined ? { ...property, description: text } : property,
    ];
  });
  const id = `https://portcullis.invalid/schemas/${kind}.json`;
  return { $schema, $id: id, title, description, ...generated, properties: Object.fromEntries(properties) };
}
