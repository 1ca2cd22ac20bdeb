import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Agent } from '../../../../src/domain/agent.ts';
import { manifestJsonSchema } from '../../../../src/domain/manifest/json-schemas.ts';
import {
  formatProblems,
  type ManifestResult,
  readManifest,
  readManifestValue,
} from '../../../../src/domain/manifest/manifest.ts';
import { AGENT_YAML, RELEASE_YAML } from './fixtures.ts';

const readAgent = (text: string): ManifestResult<Agent> => readManifest('agent.yaml', text, 'agent');
const linesOf = (result: ManifestResult<unknown>): string[] =>
  result.ok ? [] : formatProblems(result.problems).split('\n');

/** A valid agent, `ok` or the problems in words. */
const agent = (() => {
  const result = readAgent(AGENT_YAML);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.value;
})();

describe('readManifest()', () => {
  test('a valid agent and a valid release need at most 15 lines each', () => {
    expect(AGENT_YAML.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(RELEASE_YAML.trim().split('\n').length).toBeLessThanOrEqual(15);
    expect(linesOf(readManifest('release.yaml', RELEASE_YAML, 'release', agent))).toEqual([]);
  });

  test('fills in every default', () => {
    expect(agent.tools.cancel).toMatchObject({ risk: 'medium', reversibility: 'irreversible', redact: [] });
    expect(agent).toMatchObject({ testMode: false, deployers: [], slack: { matchEmail: false } });
  });

  test('reads JSON as well, also when it is indented with tabs', () => {
    const text = JSON.stringify(
      { agent: 'a', people: { o: {}, p: {} }, owners: ['o'], approvers: { g: ['p'] }, tools: {} },
      null,
      '\t',
    );
    expect(readAgent(text).ok).toBe(true);
    expect(linesOf(readAgent(text.replace('"owners"', '"ownres"')))).toContain(
      'agent.yaml:7:2 Unknown key "ownres" - Did you mean "owners"?',
    );
  });

  test.each([
    ['an open bracket', 'agent: [desk\nowners: [a]\n', /^agent\.yaml:2:\d+ .* - /],
    ['an open quote', 'agent: "desk\n', /^agent\.yaml:\d+:\d+ .* - Close the quote or bracket$/],
    [
      'a tab as indent',
      'people:\n\tana: {}\n',
      /^agent\.yaml:2:1 Tabs are not allowed as indentation - Indent with spaces$/,
    ],
    [
      'a key twice',
      'agent: a\nagent: b\n',
      /^agent\.yaml:2:1 The key "agent" stands here twice - Keep one of the two$/,
    ],
    ['two documents', 'agent: a\n---\nagent: b\n', /^agent\.yaml:2:1 .* - Write one manifest per file$/],
    [
      'a colon in plain text',
      'description: a: b\n',
      /^agent\.yaml:1:14 .* - Put text that contains ": " in quotes$/,
    ],
    ['an unknown tag', 'agent: !!js/function x\n', /^agent\.yaml:1:8 .* - Leave the tag out$/],
    [
      'text after a bracket',
      'a: [1] 2\nb: {}\nc: [3]\n',
      /^agent\.yaml:1:8 [^\n]* - Put the text in quotes, or close the bracket before it$/,
    ],
    ['nothing', '', /^agent\.yaml:1:1 The file is empty - Write a manifest$/],
    ['broken JSON', '{"agent": "a",\n "owners": ["o"\n}', /^agent\.yaml:3:1 .* - /],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
        .join('\n')}\n`,
      /^agent\.yaml:1:1 .* - Write the values out/,
    ],
    ['a list', '- a\n', /^agent\.yaml:1:1 The manifest is a list, not a map of keys - Write a map of keys$/],
  ])('malformed YAML: %s', (_, text, expected) => {
    expect(linesOf(readAgent(text))[0]).toMatch(expected);
  });

  test('several errors at once, each with file, line and column', () => {
    const text = `agent: desk
people:
  olga: { nme: Olga }
  "b b": {}
owners: []
approvers: { desk: [] }
tools:
  cancel: { risk: hgh, args: 3, kind: write }
  7: { redact: x }
toools: {}
`;
    expect(linesOf(readAgent(text))).toEqual([
      'agent.yaml:3:11 Unknown key "nme" - Did you mean "name"?',
      'agent.yaml:4:3 "b b" cannot be a name here - A name is 1-63 letters, digits, ".", "_" or "-"',
      'agent.yaml:5:1 owners has nobody in it - Name at least one of people',
      'agent.yaml:6:14 approvers.desk has nobody in it - Name at least one of people',
      'agent.yaml:8:19 "risk" cannot be "hgh" - Did you mean "high"? One of low, medium, high',
      'agent.yaml:8:30 "args" is a number, not a map of keys - Write a map of keys',
      'agent.yaml:9:16 "redact" is text, not a list - Write a list',
      'agent.yaml:10:1 Unknown key "toools" - Did you mean "tools"?',
    ]);
  });

  test('an unknown key does not hide what else is wrong', () => {
    const text = AGENT_YAML.replace('owners: [olga]', 'owners: [olgo]').replace(
      'kind: read',
      'kind: read, knd: x',
    );
    expect(linesOf(readAgent(text))).toEqual([
      'agent.yaml:3:10 "olgo" is not one of people - Add olgo to people, or did you mean "olga"?',
      expect.stringMatching(/^agent\.yaml:11:25 Unknown key "knd" - Did you mean "kind"\?$/),
    ]);
  });

  test.each([
    ['plain', 'when: context.tier == gold }', 7, 41],
    ['quoted', `when: 'context.tier == gold' }`, 7, 42],
  ])('malformed CEL in a %s scalar: the position is that of the mistake', (_, when, line, column) => {
    const result = readAgent(AGENT_YAML.replace('when: context.tier == "gold" }', when));
    expect(linesOf(result)).toEqual([
      `agent.yaml:${line}:${column} "gold" is not known here - A condition here may name: context`,
    ]);
  });

  test('malformed CEL in a block: the line is that of the mistake', () => {
    const text = RELEASE_YAML.replace(
      '- { tool: cancel, approval: desk }',
      '- tool: cancel\n    approval: desk\n    when: |\n      args.id == "a" &&\n      contxt.tier == "b"',
    );
    expect(linesOf(readManifest('r.yaml', text, 'release', agent))).toEqual([
      'r.yaml:9:7 "contxt" is not known here - A condition here may name: args, context, subject',
    ]);
  });

  test('says which form of a value with several forms is meant', () => {
    const text = `agent: desk\nrelease: 1.5\ngrants:\n  - { tool: cancel, approval: { grp: desk } }\n  - { tool: [], approval: desk }\n`;
    expect(linesOf(readManifest('r.yaml', text, 'release', agent))).toEqual([
      'r.yaml:2:10 "release" is read as 1.5 - Put it in quotes',
      'r.yaml:4:33 Unknown key "grp" - Did you mean "group"?',
      'r.yaml:5:7 "tool" is empty - Add at least one entry, or leave it out',
    ]);
  });

  test('a body has paths instead of lines', () => {
    const result = readManifestValue(
      { agent: 'desk', release: 1, grants: [{ tool: 'cancle', approval: 'desk' }] },
      'release',
      agent,
    );
    expect(linesOf(result)).toEqual([
      'body grants[0].tool: Tool "cancle" is not declared by agent "desk" - Did you mean "cancel"?',
    ]);
  });

  test('a key that copying would lose is refused', () => {
    expect(linesOf(readAgent(`${AGENT_YAML}  __proto__: { kind: read }\n`))).toEqual([
      'agent.yaml:14:3 The key "__proto__" is refused - Use another name',
    ]);
  });

  test('never throws', () => {
    const lines = fc.constantFrom(
      ...AGENT_YAML.split('\n'),
      '  - x',
      '{',
      '}',
      '[',
      ': ',
      '? a',
      '&a x',
      '*a',
      '"',
      '|',
      '- ',
      '\t',
      '%',
      '!!set {a}',
      'null',
    );
    fc.assert(
      fc.property(
        fc.array(lines, { maxLength: 10 }),
        fc.constantFrom('agent' as const, 'release' as const),
        (parts, kind) => {
          const result =
            kind === 'agent'
              ? readManifest('f', parts.join('\n'), kind)
              : readManifest('f', parts.join('\n'), kind, agent);
          if (!result.ok)
            for (const { line, column, hint } of result.problems)
              expect(line > 0 && column > 0 && hint.length > 3).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.anything(), (value) => void readManifestValue(value, 'agent')));
  });
});

describe('manifestJsonSchema()', () => {
  test.each([
    ['agent', AGENT_YAML],
    ['release', RELEASE_YAML],
  ] as const)('accepts a valid %s as it is written, and says what each key is', async (kind, text) => {
    const { parse } = await import('yaml');
    const schema = manifestJsonSchema(kind);
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...parse(text), extra: 1 })).toBe(false);
    expect(schema.$id).toContain(kind);
    const properties = schema.properties as Record<string, { description?: string }>;
    expect(
      Object.entries(properties)
        .filter(([, property]) => !property.description)
        .map(([name]) => name),
    ).toEqual([]);
  });
});
