import type { CheckProblem, ManifestPath } from '../problem.ts';
import { type CaseKind, type CaseStep, isFloor, type RegressionCase } from './case.ts';
import { strictnessOf } from './strictness.ts';

type Given = keyof RegressionCase['given'];
type Expect = keyof RegressionCase['expect'];

interface Needs {
  given: readonly Given[];
  optional: readonly Given[];
  /** At least one of them. */
  expect: readonly Expect[];
  beside: readonly Expect[];
}

const ASKED: readonly Given[] = [
  'args',
  'attributes',
  'claimed',
  'subject',
  'vouched',
  'agentVersion',
  'switches',
];
const BOUNDS: readonly Expect[] = ['atLeast', 'atMost', 'exactly'];

/** What each kind is given, and what is expected of it. */
const NEEDS: Readonly<Record<CaseKind, Needs>> = {
  ask: { given: ['tool'], optional: ASKED, expect: BOUNDS, beside: ['reasons'] },
  sequence: { given: ['steps'], optional: ['agentVersion', 'switches'], expect: [], beside: [] },
  credential: { given: ['tool'], optional: ASKED, expect: ['scopes', 'ttlAtMost'], beside: [] },
  series: { given: ['metric', 'days'], optional: [], expect: ['breachBy', 'never'], beside: [] },
  card: { given: ['tool'], optional: ASKED, expect: ['shows', 'hides'], beside: [] },
  exposure: { given: ['phase', 'attributes'], optional: [], expect: ['exposedAtMost'], beside: [] },
  catalogue: { given: ['tool'], optional: [], expect: ['definition'], beside: [] },
};

/** What a case gets wrong that its schema cannot say. */
export const checkCase = (one: RegressionCase): CheckProblem[] => [
  ...kindProblems(one),
  ...boundProblems(one.expect, ['expect']),
  ...(one.kind === 'sequence' ? (one.given.steps ?? []).flatMap(stepProblems) : []),
  ...dayProblems(one),
  ...twinProblems(one),
];

function kindProblems({ kind, given, expect }: RegressionCase): CheckProblem[] {
  const needs = NEEDS[kind];
  const said = Object.keys(expect) as Expect[];
  const missing = needs.given.filter((name) => given[name] === undefined);
  const foreign = (Object.keys(given) as Given[]).filter(
    (name) => !needs.given.includes(name) && !needs.optional.includes(name),
  );
  const unfit = said.filter((name) => !needs.expect.includes(name) && !needs.beside.includes(name));
  const silent = needs.expect.length > 0 && !said.some((name) => needs.expect.includes(name));
  return [
    ...missing.map((name) => ({
      path: ['given'],
      atKey: true,
      message: `A case of kind ${kind} needs given.${name}`,
      hint: `Add ${name}: under given`,
    })),
    ...foreign.map((name) => ({
      path: ['given', name],
      atKey: true,
      message: `A case of kind ${kind} has no given.${name}`,
      hint: 'Leave it out',
    })),
    ...unfit.map((name) => ({
      path: ['expect', name],
      atKey: true,
      message: `A case of kind ${kind} cannot expect ${name}`,
      hint: needs.expect.length > 0 ? `Write one of ${needs.expect.join(', ')}` : 'Write it at the steps',
    })),
    ...(silent
      ? [
          {
            path: ['expect'],
            atKey: true,
            message: 'Nothing is expected of it',
            hint: `Write one of ${needs.expect.join(', ')}: a person says what must come of it`,
          },
        ]
      : []),
  ];
}

function boundProblems(
  { atLeast, atMost, exactly }: Pick<RegressionCase['expect'], 'atLeast' | 'atMost' | 'exactly'>,
  path: ManifestPath,
): CheckProblem[] {
  if (exactly !== undefined && (atLeast ?? atMost) !== undefined)
    return [
      { path: [...path, 'exactly'], message: '"exactly" stands alone', hint: 'Leave atLeast and atMost out' },
    ];
  if (atLeast === undefined || atMost === undefined || strictnessOf(atLeast) <= strictnessOf(atMost))
    return [];
  const message = `Nothing is at least ${atLeast} and at most ${atMost}`;
  return [{ path: [...path, 'atMost'], message, hint: 'allow is milder than ask, ask than deny' }];
}

const STEP_NEEDS: Readonly<Record<CaseStep['do'], readonly (keyof CaseStep)[]>> = {
  ask: ['action', 'tool'],
  approve: ['action'],
  deny: ['action'],
  edit: ['action', 'args'],
  begin: ['action'],
  disable: ['scope'],
  enable: ['scope'],
  wait: ['for'],
  rollback: [],
};

function stepProblems(step: CaseStep, at: number, steps: readonly CaseStep[]): CheckProblem[] {
  const path = ['given', 'steps', at];
  const missing = STEP_NEEDS[step.do].filter((name) => step[name] === undefined);
  const isNamed = steps.slice(0, at).some((one) => one.do === 'ask' && one.action === step.action);
  const unasked = step.action !== undefined && (step.do === 'ask') === isNamed;
  return [
    ...missing.map((name) => ({
      path,
      message: `The step "${step.do}" needs ${name}`,
      hint: `Add ${name}: to it`,
    })),
    ...(unasked && step.do !== 'ask'
      ? [
          {
            path: [...path, 'action'],
            message: `No step before it asks "${step.action}"`,
            hint: 'Name an action that was asked',
          },
        ]
      : []),
    ...(unasked && step.do === 'ask'
      ? [
          {
            path: [...path, 'action'],
            message: `"${step.action}" is asked twice`,
            hint: 'Give each ask its own name',
          },
        ]
      : []),
    ...boundProblems(step, path),
  ];
}

function dayProblems({ given: { days = [] }, expect }: RegressionCase): CheckProblem[] {
  const both = expect.never !== undefined && expect.breachBy !== undefined;
  return [
    ...days.flatMap(({ events, harms }, at) =>
      harms > events
        ? [
            {
              path: ['given', 'days', at, 'harms'],
              message: `${harms} harms in ${events} events`,
              hint: 'Write at most as many harms as events',
            },
          ]
        : [],
    ),
    ...(both
      ? [{ path: ['expect', 'never'], message: 'It breaches, or it never does', hint: 'Keep one of them' }]
      : []),
  ];
}

function twinProblems(one: RegressionCase): CheckProblem[] {
  if (one.twins.includes(one.case))
    return [{ path: ['twins'], message: 'A case is not its own twin', hint: 'Name another case' }];
  if (!isFloor(one) || one.twins.length > 0) return [];
  return [
    {
      path: ['twins'],
      message: 'It forbids something and has no twin',
      hint: 'Name a case of what is right and nearest to it, with atMost: else denying everything would be green',
    },
  ];
}
