import { describe, expect, test } from 'vitest';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';

const HEAD = `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
tools:
  send:
    args:
`;

/** The problems of an agent whose tool has this schema; its first line is line 8. */
function problemsOf(schema: string, more = ''): string {
  const indented = schema
    .trim()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  const result = readManifest('agent.yaml', `${HEAD}${indented}\n${more}`, 'agent');
  return result.ok ? 'valid' : formatProblems(result.problems);
}

describe('words that would bind nobody are refused at their line', () => {
  test.each([
    ['maxmum: 3', '"maxmum" is not a keyword of JSON Schema and would bind nobody - Did you mean "maximum"?'],
    [
      'requried: [to]',
      '"requried" is not a keyword of JSON Schema and would bind nobody - Did you mean "required"?',
    ],
    ['propertys: { to: {} }', '- Did you mean "properties"?'],
    ['maxLenght: 3', '- Did you mean "maxLength"?'],
    ['additionalproperties: false', '- Did you mean "additionalProperties"?'],
    [
      'nullable: true',
      '"nullable" is not a keyword of JSON Schema and would bind nobody - Write type: [string, "null"]',
    ],
    ['format: emial', 'Format "emial" is not known and would bind nobody - Did you mean "email"?'],
    [
      'format: password',
      'Format "password" is not known and would bind nobody - Leave it out; to hide the value',
    ],
    ['format: idn-email', 'Format "idn-email" is not known'],
    ['exclusiveMinimum: true', '"exclusiveMinimum" must be a number - Draft 4 wrote it so'],
    ['maxLength: -1', '"maxLength" must be a whole number, 0 or more'],
    ['type: strng', '"type" must be one of null, boolean'],
    ['pattern: "(?<=a)b"', 'The pattern cannot be used'],
    ['pattern: "^(a{1,900}){2}$"', 'The pattern cannot be used'],
    [
      '$ref: "#/$defs/none"',
      '"#/$defs/none" leads to nothing in this schema - Refer to a schema under $defs',
    ],
    ['$ref: "https://example.com/a.json"', 'leads to nothing in this schema'],
    ['contentEncoding: base64', '"contentEncoding" is not a keyword'],
    ['dependencies: { a: [b] }', 'Draft 2020-12 writes dependentRequired or dependentSchemas'],
    ['items: [{}]', '"items" must be a schema - Write prefixItems: for the first ones'],
    ['anyOf: []', '"anyOf" must be a list of schemas'],
    [
      'colour: red',
      '"colour" is not a keyword of JSON Schema and would bind nobody - Leave it out, or write "x-colour"',
    ],
  ])('%s', (line, expected) => {
    const problems = problemsOf(`type: object\nproperties:\n  to:\n    ${line}`);
    expect(problems).toContain(expected);
    expect(problems).toMatch(/^agent\.yaml:11:\d+ /);
  });

  test('however deep they stand, and all of them at once', () => {
    const problems = problemsOf(`
type: object
$defs:
  address: { type: object, properties: { city: { typ: string } } }
properties:
  to: { type: array, items: { anyOf: [{ $ref: "#/$defs/address" }, { maxLen: 3 }] } }`);
    expect(problems).toMatch(/agent\.yaml:10:\d+ "typ" is not a keyword/);
    expect(problems).toMatch(/agent\.yaml:12:\d+ "maxLen" is not a keyword.* - Did you mean "maxLength"\?/);
  });

  test("but notes of one's own are allowed, and names of properties are no keywords", () => {
    expect(
      problemsOf(
        'type: object\nx-owner: desk\nproperties:\n  maxmum: { type: integer, x-unit: EUR }\n  format: {}',
      ),
    ).toBe('valid');
  });

  test('a draft that is not known is refused, and draft 7 has its own words', () => {
    expect(problemsOf('$schema: http://json-schema.org/draft-04/schema#')).toContain(
      'Only draft 2020-12 and draft 7 of JSON Schema are known - Leave $schema out for 2020-12',
    );
    const draft7 = '$schema: http://json-schema.org/draft-07/schema#\ntype: object\n';
    expect(problemsOf(`${draft7}dependencies: { a: [b] }\nproperties: { a: {}, b: {} }`)).toBe('valid');
    expect(problemsOf(`${draft7}properties: { a: { prefixItems: [{}] } }`)).toContain(
      'Draft 7 writes items: with a list',
    );
  });
});

describe('words that can mean nothing where they stand are refused', () => {
  test.each([
    [
      'to: { type: string, minimum: 3 }',
      '"minimum" says nothing about a value of type string - Write minLength',
    ],
    [
      'to: { type: integer, maxLength: 3 }',
      '"maxLength" says nothing about a value of type integer - Write maximum',
    ],
    ['to: { type: integer, format: email }', 'Format "email" says nothing about a value of type integer'],
    ['to: { type: string, items: {} }', '"items" says nothing about a value of type string'],
    ['to: { type: string, enum: [a, 1] }', 'No value of type string is 1 - Put it in quotes'],
    ['to: { type: integer, const: "1" }', 'No value of type integer is "1"'],
    ['to: { minLength: 5, maxLength: 3 }', 'Nothing is at least 5 and at most 3'],
    ['to: { then: { type: string } }', '"then" says nothing without if'],
    ['to: { if: { type: string } }', '"if" says nothing without then or else'],
    ['to: { minContains: 2 }', '"minContains" says nothing without contains'],
    ['to: { type: object, required: [x] }', '"x" is required and declared nowhere - Add it to properties:'],
    [
      'to: { type: object, required: [mail], properties: { email: {} } }',
      '"mail" is required and declared nowhere - Add it to properties: (declared are email)',
    ],
    [
      'to: { type: object, properties: { a: {} }, dependentRequired: { a: [b] } }',
      '"b" is required and declared nowhere',
    ],
  ])('%s', (line, expected) => {
    const problems = problemsOf(`type: object\nproperties:\n  ${line}`);
    expect(problems).toContain(expected);
    expect(problems).toMatch(/^agent\.yaml:10:\d+ /);
  });

  test.each([
    [
      'forms that each require a member of the whole',
      'anyOf: [{ required: [a] }, { required: [b] }]\nproperties: { a: {}, b: {} }',
    ],
    ['a member that a form must not have', 'not: { required: [old] }'],
    [
      'a member that a reference declares',
      'required: [a]\n$ref: "#/$defs/base"\n$defs: { base: { properties: { a: {} } } }',
    ],
    ['a member of a map', 'required: [a]\nadditionalProperties: { type: string }'],
    ['a member that a pattern declares', 'required: [a_1]\npatternProperties: { "^a_": {} }'],
    ['a nullable text', 'properties: { a: { type: [string, "null"], maxLength: 3, enum: [x, null] } }'],
    ['a number with the bounds of one', 'properties: { a: { type: integer, minimum: 1, multipleOf: 5 } }'],
  ])('but not %s', (_what, schema) => expect(problemsOf(schema)).toBe('valid'));

  test('in draft 7, what stands beside a reference', () => {
    expect(
      problemsOf(`
$schema: http://json-schema.org/draft-07/schema#
properties: { a: { $ref: "#/definitions/a", maxLength: 3, description: short } }
definitions: { a: { type: string } }`),
    ).toContain('In draft 7 nothing beside $ref counts, and so "maxLength" binds nobody');
  });

  test('a reference that leads back to where it stands', () => {
    expect(problemsOf('allOf: [{ $ref: "#" }]')).toContain(
      '"#" leads back here without going into a member or an item',
    );
  });
});

describe('redacted paths follow the schema wherever it says what a value is', () => {
  const schema = `
type: object
$defs: { person: { type: object, properties: { ssn: { type: string } } } }
allOf: [{ properties: { both: { $ref: "#/$defs/person" } } }]
properties:
  customer: { $ref: "#/$defs/person" }
  payer: { anyOf: [{ $ref: "#/$defs/person" }, { type: "null" }] }
  list: { type: array, items: { $ref: "#/$defs/person" } }
  pair: { type: array, prefixItems: [{ type: string }, { $ref: "#/$defs/person" }], items: false }
  byName: { type: object, additionalProperties: { $ref: "#/$defs/person" } }
  byCode: { type: object, patternProperties: { "^c": { $ref: "#/$defs/person" } } }
  choice: { if: { type: object }, then: { $ref: "#/$defs/person" } }`;

  test.each([
    ...[
      'customer.ssn',
      'both.ssn',
      'payer.ssn',
      'list[].ssn',
      'pair[].ssn',
      'byName.ana.ssn',
      'byName.*.ssn',
    ],
    ...['byCode.c1.ssn', 'byCode.*.ssn', 'choice.ssn', '*.ssn'],
  ])('%s', (path) => expect(problemsOf(schema, `    redact: ["${path}"]\n`)).toBe('valid'));

  test.each([
    ['customer.snn', '"customer.snn" leads nowhere in the args of "send" - Did you mean "ssn"?'],
    ['customer[].ssn', '"customer" is not a list'],
    ['list.ssn', '"list.ssn" leads nowhere'],
    ['byCode.d1.ssn', '"byCode.d1.ssn" leads nowhere'],
    ['custmer.ssn', 'Did you mean "customer"?'],
  ])('and nowhere else: %s', (path, expected) =>
    expect(problemsOf(schema, `    redact: ["${path}"]\n`)).toContain(expected),
  );
});
