import type { Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js';
import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js';
import { expect, test } from 'vitest';
import { checkExpression } from '../../../src/domain/cel/cel.ts';
import { compileNode } from '../../../src/domain/cel/evaluate.ts';
import { Frame } from '../../../src/domain/cel/frame.ts';
import { celEnvironment } from '../../../src/domain/cel/types.ts';
import { CelError, type CelValue } from '../../../src/domain/cel/values.ts';
import { Meter } from '../../../src/domain/schema/meter.ts';
import { celValueOf, textOf } from './cel-values.ts';
import { REFUSED_CONDITIONS } from './refused-conditions.ts';

type Case = IncrementalTest['original'];
type Answer = { what: 'green' | 'refused' | 'different'; words: string };

const refused = (words: string): Answer => ({ what: 'refused', words });

const SCALARS = ['none', 'bool', 'int', 'uint', 'double', 'string', 'bytes'];
const WELL_KNOWN = ['none', 'dyn', 'google.protobuf.Timestamp', 'google.protobuf.Duration'];

/** A type as a declaration here names it. */
function typeText(type: Type | undefined): string {
  const kind = type?.typeKind;
  switch (kind?.case) {
    case 'primitive':
      return SCALARS[kind.value] ?? 'none';
    case 'wellKnown':
      return WELL_KNOWN[kind.value] ?? 'none';
    case 'dyn':
      return 'dyn';
    case 'null':
      return 'null_type';
    case 'type':
      return 'type';
    case 'listType':
      return `list<${typeText(kind.value.elemType)}>`;
    case 'mapType':
      return `map<${typeText(kind.value.keyType)}, ${typeText(kind.value.valueType)}>`;
    default:
      throw new Error(`There is no type ${kind?.case} here`);
  }
}

/** The case as `apply` checks a condition and as a request evaluates it. */
function answerTo(given: Case): Answer {
  const environment = celEnvironment();
  const values = new Map<string, CelValue>();
  const variables: Record<string, Record<string, unknown>> = {};
  const declare = (name: string, type: string): void => {
    if (!(name in variables)) environment.registerVariable(name, type);
    variables[name] = {};
  };
  try {
    for (const { name, declKind } of given.typeEnv) {
      if (name.includes('.')) return refused('There are no containers here');
      if (declKind.case !== 'ident') return refused('A function cannot be declared');
      declare(name, typeText(declKind.value.type));
    }
    for (const [name, { kind }] of Object.entries(given.bindings)) {
      const value = kind.case === 'value' ? celValueOf(kind.value) : undefined;
      if (value === undefined) return refused('A variable holds no value that exists here');
      declare(name, 'dyn');
      values.set(name, value);
    }
    const { ast, problems } = checkExpression(given.expr, { environment, variables });
    if (problems[0]) return refused(problems[0].message);
    const got = textOf(evaluated(ast, values));
    const expected = expectation(given.resultMatcher);
    if (expected === undefined || got === expected) return { what: 'green', words: '' };
    return { what: 'different', words: `${given.expr} is ${got} instead of ${expected}` };
  } catch (error) {
    return refused((error as Error).message.split('\n')[0] ?? '');
  }
}

function evaluated(
  ast: Parameters<typeof compileNode>[0],
  values: Map<string, CelValue>,
): CelValue | CelError {
  try {
    return compileNode(ast)(new Frame(values, new Meter()));
  } catch (error) {
    if (error instanceof CelError) return error;
    throw new Error(`crashed: ${error}`);
  }
}

/** `undefined`: the case is about the type alone. */
function expectation(matcher: Case['resultMatcher']): string | undefined {
  switch (matcher.case) {
    case 'value':
      return valueText(celValueOf(matcher.value));
    case 'typedResult':
      return matcher.value.result && valueText(celValueOf(matcher.value.result));
    case 'evalError':
    case 'anyEvalErrors':
      return 'error';
    default:
      return 'true';
  }
}

const valueText = (value: CelValue | undefined): string =>
  value === undefined ? 'a value that does not exist here' : textOf(value);

const casesOf = (suite: IncrementalTestSuite): Case[] => [
  ...suite.tests.map(({ original }) => original),
  ...suite.suites.flatMap(casesOf),
];

const cases = casesOf(getConformanceSuite());
const wordsOf = (answers: readonly Answer[], what: Answer['what']): string[] =>
  answers.filter((answer) => answer.what === what).map((answer) => answer.words);

test('no condition that is accepted gives another answer than the suite', () => {
  const answers = cases.map(answerTo);
  expect(wordsOf(answers, 'different')).toEqual([]);
  expect(answers).toHaveLength(2_344);
  expect(wordsOf(answers, 'green')).toHaveLength(752);
});

test('whatever is refused is refused for a listed reason, and every reason is needed', () => {
  const refusals = wordsOf(cases.map(answerTo), 'refused');
  const unlisted = refusals.filter((one) => !REFUSED_CONDITIONS.some(({ says }) => says.test(one)));
  expect(unlisted).toEqual([]);
  const unused = REFUSED_CONDITIONS.filter(({ says }) => !refusals.some((one) => says.test(one)));
  expect(unused).toEqual([]);
});
