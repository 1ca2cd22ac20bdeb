import type { Known } from './world.ts';

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
const INTEGERS = [0, 1, 2_147_483_647, 2_147_483_648, Number.MAX_SAFE_INTEGER];
/** The rest is made up. */
const MOSTLY = 0.8;

/**
 * schemathesis.toml: names and ids that are there are asked for mostly, for nearly everything else is "there is none".
 * What is malformed comes systematically in the coverage phase; the time of the others goes to what gets further.
 */
export function configOf(known: Known): string {
  const dictionaries = {
    agents: known.agents,
    people: known.people,
    tools: known.tools,
    groups: known.groups,
    releases: known.releases,
    actions: known.actions,
    digests: known.digests,
    rollouts: known.rollouts,
    tokens: known.tokens,
    segments: ['gold', 'default'],
    metrics: ['wrong'],
    executions: ['e-1'],
    scopes: ['everything', ...known.agents.map((agent) => `agent/${agent}`)],
    instants: INSTANTS,
    integers: INTEGERS,
    revisions: [1, 2, 3],
  };
  const parameters: [name: string, dictionary: keyof typeof dictionaries][] = [
    ...['path.agent', 'query.agent', 'body.agent'].map((name) => [name, 'agents'] as const),
    ...['body.person', 'body.from', 'body.to'].map((name) => [name, 'people'] as const),
    ...['path.release', 'body.release'].map((name) => [name, 'releases'] as const),
    ...['query.action', 'body.outcomes[*].action', 'body.items[*].id'].map(
      (name) => [name, 'actions'] as const,
    ),
    ...['body.digest', 'body.items[*].digest'].map((name) => [name, 'digests'] as const),
    ...['body.revision', 'body.items[*].revision'].map((name) => [name, 'revisions'] as const),
    ...['body.expiresAt', 'body.startsAt', 'body.endsAt'].map((name) => [name, 'instants'] as const),
    ...['query.segment', 'body.segment'].map((name) => [name, 'segments'] as const),
    ['body.tool', 'tools'],
    ['body.group', 'groups'],
    ['body.executionId', 'executions'],
    ['body.outcomes[*].metric', 'metrics'],
    ['path.scope', 'scopes'],
  ].map(([name, dictionary]) => [name, dictionary] as [string, keyof typeof dictionaries]);
  const isThere = (name: keyof typeof dictionaries) => dictionaries[name].length > 0;
  const ids = (['actions', 'rollouts', 'tokens'] as const).filter(isThere);
  return [
    ...Object.entries(dictionaries)
      .filter(([, values]) => values.length > 0)
      .flatMap(([name, values]) => [`[dictionaries.${name}]`, `values = ${JSON.stringify(values)}`]),
    '[generation.dictionaries]',
    'integer = { dictionary = "integers", probability = 0.2 }',
    '[parameters]',
    ...parameters.filter(([, name]) => isThere(name)).map(([name, dictionary]) => bound(name, dictionary)),
    '[phases.fuzzing.generation]',
    'mode = "positive"',
    '[phases.stateful.generation]',
    'mode = "positive"',
    ...ids.flatMap((kind) => [
      '[[operations]]',
      `include-path-regex = "^/v1/${kind}/"`,
      '[operations.parameters]',
      bound('path.id', kind),
    ]),
    '',
  ].join('\n');
}

const bound = (name: string, dictionary: string): string =>
  `${JSON.stringify(name)} = { dictionary = "${dictionary}", probability = ${MOSTLY} }`;
