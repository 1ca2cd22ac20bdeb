import { describe, expect, test } from 'vitest';
import { checkFirstRelease, checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import type { CheckProblem } from '../../../../src/domain/problem.ts';
import { pathText } from '../../../../src/domain/problem.ts';
import { agentOf, RELEASE_YAML, releaseOf } from './fixtures.ts';

const textOf = (found: readonly CheckProblem[]): string[] =>
  found.map(({ path, message, hint }) => `${pathText(path)}: ${message} - ${hint}`);
const agent = agentOf({
  metrics: {
    wrong: { unit: 'conversation', business: 'workload' },
    cost: { unit: 'EUR', business: 'unit cost', kind: 'sum' },
  },
});
const ofGrant = (grant: Record<string, unknown>): string[] => textOf(checkRelease(releaseOf([grant]), agent));
const ofRollout = (rollout: Record<string, unknown>): string[] =>
  textOf(checkRelease(releaseOf([{ tool: 'lookup' }], { rollout }), agent));

describe('a release is refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    [
      'a write without an approval policy',
      { tool: 'cancel' },
      'grants[0].tool: "cancel" writes, and this grant does not say who approves - Add approval: <desk>',
    ],
    [
      'an unknown tool',
      { tool: 'lokup' },
      'grants[0].tool: Tool "lokup" is not declared by agent "desk" - Did you mean "lookup"?',
    ],
    [
      'an unknown tool in a list',
      { tool: ['lookup', 'x-y'] },
      'grants[0].tool[1]: Tool "x-y" is not declared',
    ],
    [
      'an unknown group',
      { tool: 'cancel', approval: 'dsk' },
      'grants[0].approval: There is no approver group "dsk" - Did you mean "desk"?',
    ],
    [
      'a quorum nobody can reach',
      { tool: 'cancel', approval: { group: 'desk', quorum: 3 } },
      'grants[0].approval.quorum: 3 approvals are needed, and only 2 of "desk" may approve - Write quorum: 2',
    ],
    [
      'a scope not enumerated for its tool',
      { tool: 'cancel', approval: 'desk', credential: { scopes: ['order:cancle'] } },
      'grants[0].credential.scopes[0]: Scope "order:cancle" does not exist for tool "cancel" - List it under tools.cancel.scopes, or did you mean "order:cancel"?',
    ],
    [
      'a scope of one of two tools',
      { tool: ['cancel', 'refund'], approval: 'desk', credential: { scopes: ['order:cancel'] } },
      'does not exist for tool "refund"',
    ],
    [
      'record: after on a write',
      { tool: 'cancel', approval: 'desk', record: 'after' },
      'grants[0].record: "cancel" writes, and record: after is for reads',
    ],
    [
      'a condition of another type',
      { tool: 'refund', approval: 'desk', when: 'args.amount == "3"' },
      'grants[0].when: no such overload: int == string - Compare values of one type',
    ],
    [
      'a condition on an optional argument',
      { tool: 'lookup', when: 'args.id == "x"' },
      'grants[0].when: "id" may be absent - Ask first: has(args.id) && ...',
    ],
    [
      'a condition that is never true',
      { tool: 'lookup', when: 'subject != subject' },
      'grants[0].when: The condition is never true, so the grant does nothing',
    ],
    [
      'a condition that fails for one of two tools',
      { tool: ['cancel', 'refund'], approval: 'desk', when: 'args.amount == 3' },
      '(for tool "cancel")',
    ],
    [
      'a reminder after the end',
      { tool: 'cancel', approval: { group: 'desk', expiresIn: '5m', remindAfter: '5m' } },
      'grants[0].approval.remindAfter: The reminder would come after the end',
    ],
    [
      'an approval that asks nobody',
      { tool: 'cancel', approval: { expiresIn: '5m' } },
      'grants[0].approval: It does not say who approves - Write group (and quorum), or groups',
    ],
    [
      'an approval that asks in two ways',
      { tool: 'cancel', approval: { group: 'desk', groups: { desk: 1 } } },
      'grants[0].approval: It says in several ways who approves',
    ],
    [
      'a stage that asks nobody',
      { tool: 'cancel', approval: { stages: [{ group: 'desk' }, {}] } },
      'grants[0].approval.stages[1]: A stage asks one group or several',
    ],
    [
      'a quorum beside groups',
      { tool: 'cancel', approval: { quorum: 2, groups: { desk: 1 } } },
      'grants[0].approval.quorum: quorum belongs to group',
    ],
    [
      'more people over all stages than there are',
      { tool: 'cancel', approval: { stages: [{ group: 'desk', quorum: 2 }, { group: 'desk' }] } },
      'grants[0].approval: 3 different people must agree, and 2 of these groups can: one person counts once',
    ],
    [
      'an unknown group to escalate to',
      { tool: 'cancel', approval: { group: 'desk', escalate: [{ after: '5m', to: 'dsk' }] } },
      'There is no approver group "dsk"',
    ],
    [
      'an unknown group to break the glass',
      { tool: 'cancel', approval: { group: 'desk', breakGlass: 'dsk' } },
      'There is no approver group "dsk"',
    ],
    [
      'an escalation after the end',
      { tool: 'cancel', approval: { group: 'desk', escalate: [{ after: '1h', to: 'desk' }] } },
      'grants[0].approval.escalate[0].after: It would come after the end',
    ],
    [
      'escalations out of order',
      {
        tool: 'cancel',
        approval: {
          group: 'desk',
          escalate: [
            { after: '30m', to: 'desk' },
            { after: '10m', to: 'desk' },
          ],
        },
      },
      'grants[0].approval.escalate[1].after: It would come before the one above',
    ],
    [
      'a rule that approves more than low risk',
      { tool: 'cancel', approval: { group: 'desk', rules: [{ when: 'args.id == "a"', answer: 'approve' }] } },
      'grants[0].approval.rules[0].answer: Only low risk is approved by rule, and "cancel" is medium',
    ],
    [
      'a rule about what is not there',
      { tool: 'cancel', approval: { group: 'desk', rules: [{ when: 'args.nope == 1', answer: 'deny' }] } },
      'grants[0].approval.rules[0].when',
    ],
    [
      'a grant that earns without asking',
      { tool: 'cancel', approval: 'none', earn: { above: 0.9 } },
      'grants[0].earn: Only a grant that asks people for a write can earn not to ask',
    ],
  ])('with %s', (_, grant, expected) => expect(ofGrant(grant).join('\n')).toContain(expected));

  test('with the name of another agent', () => {
    expect(textOf(checkRelease(releaseOf([{ tool: 'lookup' }], { agent: 'dsk' }), agent))).toEqual([
      'agent: The release is for agent "dsk", not "desk" - Write agent: desk, or apply it to "dsk"',
    ]);
  });

  test('with two grants of one name for one tool', () => {
    const grants = [
      { tool: 'cancel', name: 'a', approval: 'desk', when: 'args.id == "x"' },
      { tool: ['cancel'], name: 'a', approval: 'desk' },
    ];
    expect(textOf(checkRelease(releaseOf(grants), agent))).toEqual([
      'grants[1].name: Two grants for "cancel" have the name "a" - Rename one of the two',
    ]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'exposures that fall inside a phase',
      {
        scale: [
          { days: 1, exposure: { '*': 60 } },
          { days: 1, exposure: { '*': 60, gold: 50 } },
        ],
      },
      'rollout.scale[1].exposure.gold: The exposure of "gold" falls from 60 % to 50 % - Write 60 or more; to take it back, roll back',
    ],
    [
      'exposures that fall between phases',
      { constrained: [{ days: 1, exposure: { silver: 80 } }], scale: [{ days: 1, exposure: { '*': 50 } }] },
      'rollout.scale[0].exposure["*"]: The exposure of "silver" falls from 80 % to 50 %',
    ],
    [
      'exposures that the default scale would lower',
      { constrained: [{ days: 1, exposure: { silver: 80 } }] },
      'rollout.constrained: The exposure of "silver" falls from 80 % to 50 %',
    ],
    [
      'an unknown segment',
      { scale: [{ days: 1, exposure: { golf: 60 } }] },
      'rollout.scale[0].exposure.golf: There is no segment "golf" - Did you mean "gold"?',
    ],
    [
      'an unknown metric',
      { guardrails: [{ metric: 'wrnog', limit: 1, reason: 'x' }] },
      'rollout.guardrails[0].metric: There is no metric "wrnog" - Declare it under metrics of the agent, or did you mean "wrong"?',
    ],
    [
      'two guardrails on one metric',
      { guardrails: [0.1, 0.2].map((limit) => ({ metric: 'wrong', limit, reason: 'x' })) },
      'rollout.guardrails[1].metric: Metric "wrong" has two guardrails',
    ],
    [
      'a guardrail whose limit no share can exceed',
      { guardrails: [{ metric: 'wrong', limit: 5, reason: 'x' }] },
      'a limit of 5 can never be exceeded',
    ],
    [
      'a sum without a cap where a step waits until it is ok',
      { guardrails: [{ metric: 'cost', limit: 2, reason: 'x' }] },
      'Guardrail "cost" can never be ok, and a step waits until it is: a sum without a cap proves nothing - Write the "cap" of the metric',
    ],
    [
      'a sum that is compared with control',
      { guardrails: [{ metric: 'cost', limit: 2, reason: 'x', control: { ratio: 2 } }] },
      'a sum has no harmful subjects to compare',
    ],
    [
      'a sum against the baseline',
      { guardrails: [{ metric: 'cost', limit: { baseline: { margin: 1 } }, reason: 'x' }] },
      'a sum is bounded by its "cap" only',
    ],
    [
      'a pair with what no guardrail is on',
      { guardrails: [{ metric: 'wrong', limit: 0.1, reason: 'x' }], pairs: [['wrong', 'cost', 'wrong']] },
      'rollout.pairs[0][2]: "wrong" is in it twice - Name each metric once',
    ],
    [
      'harms a day of an unknown segment',
      { guardrails: [{ metric: 'wrong', limit: 0.1, reason: 'x', perDay: { golf: 1, '*': 2 } }] },
      'rollout.guardrails[0].perDay.golf: There is no segment "golf" - Did you mean "gold"?',
    ],
    [
      'an unknown person who signs off',
      { signedOffBy: 'max' },
      'rollout.signedOffBy: "max" is not one of people',
    ],
  ])('with %s', (_, rollout, expected) => expect(ofRollout(rollout).join('\n')).toContain(expected));

  test.each([
    [
      'an exposure above 100',
      'scale: [{ days: 1, exposure: { gold: 101 } }]',
      'r.yaml:8:40 "gold" is too large - Write at most 100',
    ],
    [
      'no harms a day at all: that is a denial, not a limit',
      'guardrails: [{ metric: wrong, limit: 0.1, reason: x, perDay: 0 }]',
      'r.yaml:8:64 "perDay" is too small - Write at least 0.001',
    ],
    [
      'harms a day beyond counting',
      'guardrails: [{ metric: wrong, limit: 0.1, reason: x, perDay: { gold: 1e9 } }]',
      'r.yaml:8:72 "gold" is too large - Write at most 1000000',
    ],
    [
      'a ratio that lets less pass than the release in force does',
      'guardrails: [{ metric: wrong, limit: 0.1, reason: x, control: { ratio: 0.5 } }]',
      'r.yaml:8:74 "ratio" is too small - Write at least 1',
    ],
    [
      'harms a day in words',
      'guardrails: [{ metric: wrong, limit: 0.1, reason: x, perDay: few }]',
      'r.yaml:8:64 "perDay" has the wrong kind of value - Write a number or a map of keys',
    ],
    [
      'a baseline that exposes somebody',
      'baseline: { days: 1, exposure: { gold: 1 } }',
      'r.yaml:8:24 Unknown key "exposure" - Leave it out: baseline exposes nobody',
    ],
  ])('with %s', (_, rollout, expected) => {
    const result = readManifest('r.yaml', `${RELEASE_YAML}rollout:\n  ${rollout}\n`, 'release');
    expect(result.ok ? 'valid' : formatProblems(result.problems)).toBe(expected);
  });
});

describe('checkFirstRelease()', () => {
  test('lets nothing but asks and denies through for writes', () => {
    const release = releaseOf([
      { tool: 'lookup' },
      { tool: 'cancel', approval: 'desk' },
      { tool: 'refund', deny: 'No' },
      { tool: 'refund', approval: 'none' },
      { tool: 'refund', approval: { group: 'desk', unless: 'args.amount < 5' } },
    ]);
    expect(textOf(checkFirstRelease(release, agent))).toEqual([
      'grants[3].approval: An adopted release must ask a person for every write, and this grant does not ask for "refund" - Write approval: <group>, and relax it in a later release that is rolled out',
      'grants[4].approval: An adopted release must ask a person for every write, and this grant does not ask for "refund" - Write approval: <group>, and relax it in a later release that is rolled out',
    ]);
  });
});
