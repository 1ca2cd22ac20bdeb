import { describe, expect, test } from 'vitest';
import { checkAgent } from '../../../../src/domain/manifest/check-agent.ts';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { AGENT_YAML, agentOf } from './fixtures.ts';

const agentProblems = (text: string): string => {
  const result = readManifest('agent.yaml', text, 'agent');
  return result.ok ? 'valid' : formatProblems(result.problems);
};
const withAgent = (from: string, to: string): string => {
  expect(AGENT_YAML).toContain(from);
  return agentProblems(AGENT_YAML.replace(from, to));
};

describe('an agent is refused', () => {
  test.each([
    [
      'a missing owner',
      'owners: [olga]\n',
      '',
      'agent.yaml:1:1 "owners" is missing - Add owners: [<one of people>]',
    ],
    ['no owner', '[olga]', '[]', 'agent.yaml:3:1 owners has nobody in it'],
    [
      'an owner who is not one of people',
      '[olga]',
      '[olag]',
      'agent.yaml:3:10 "olag" is not one of people - Add olag to people, or did you mean "olga"?',
    ],
    [
      'an approver group with nobody in it',
      'desk: [ana, ben]',
      'desk: []',
      'agent.yaml:4:14 approvers.desk has nobody in it',
    ],
    [
      'a group that only owners are in',
      'desk: [ana, ben]',
      'desk: [olga]',
      'agent.yaml:4:14 Nobody in approver group "desk" may approve',
    ],
    [
      'a group called none',
      'desk: [ana, ben]',
      'none: [ana, ben]',
      'agent.yaml:4:14 A group cannot be called "none"',
    ],
    [
      'a freeze that ends before it begins',
      'owners: [olga]\n',
      'owners: [olga]\nfreezes: [{ from: 2026-12-20, to: 2026-12-19, reason: x }]\n',
      'agent.yaml:4:35 "to" cannot be "2026-12-19"',
    ],
    [
      'a freeze of no day that there is',
      'owners: [olga]\n',
      'owners: [olga]\nfreezes: [{ from: 2026-13-20, to: 2027-01-04, reason: x }]\n',
      'agent.yaml:4:19 "from" is not valid',
    ],
    [
      'a freeze of neither times nor a calendar',
      'owners: [olga]\n',
      'owners: [olga]\nfreezes: [{ from: 2026-12-20, reason: x }]\n',
      'Says either from and to, or ical',
    ],
    [
      'a freeze of both',
      'owners: [olga]\n',
      'owners: [olga]\nfreezes: [{ ical: f.ics, from: 2026-12-20, to: 2026-12-21, reason: x }]\n',
      'Says either from and to, or ical',
    ],
    [
      'a freeze of times that could become stale',
      'owners: [olga]\n',
      'owners: [olga]\nfreezes: [{ from: 2026-12-20, to: 2026-12-21, staleAfter: 1d, reason: x }]\n',
      'Goes with a calendar only',
    ],
    [
      'a metric that says what no metric of its kind can',
      '{ unit: conversation, business: workload }',
      '{ unit: conversation, business: workload, kind: sum, corrections: true }',
      'A correction is harm, which a metric of kind sum does not count',
    ],
    [
      'a source that counts every release alike',
      '{ unit: conversation, business: workload }',
      "{ unit: conversation, business: workload, source: { http: { url: 'https://x.example.com/{segment}' } } }",
      'Its query does not ask for {release}: it would count every release alike',
    ],
    [
      'a source of a sum',
      '{ unit: conversation, business: workload }',
      "{ unit: conversation, business: workload, kind: sum, source: { http: { url: 'https://x.example.com/{segment}{release}' } } }",
      'A source counts what is harm by itself',
    ],
    [
      'a segment that is always true',
      'when: context.tier == "gold"',
      'when: "true"',
      'agent.yaml:7:25 The condition is always true',
    ],
    [
      'a segment canonically equal to true',
      'context.tier == "gold"',
      'context.age > 1 || context.age <= 1',
      'agent.yaml:7:25 The condition is always true',
    ],
    [
      'a segment that compares a thing with itself',
      'context.tier == "gold"',
      'context.tier == context.tier',
      'agent.yaml:7:25 The condition is always true',
    ],
    [
      'a segment that is never true',
      'context.tier == "gold"',
      '1 > 2',
      'agent.yaml:7:25 The condition is never true',
    ],
    [
      'a segment equal to an earlier one',
      'context.tier == "silver"',
      `'"gold" == context["tier"]'`,
      'agent.yaml:8:27 The condition means the same as that of "gold"',
    ],
    [
      'a segment inside an earlier one',
      'context.tier == "silver"',
      'context.tier == "gold" && context.age > 3',
      'agent.yaml:8:27 Everything this condition matches falls in an earlier segment',
    ],
    ['a segment called default', 'name: gold', 'name: default', 'agent.yaml:7:13 "default" is reserved'],
    [
      'two segments of one name',
      'name: silver',
      'name: gold',
      'agent.yaml:8:13 Segment "gold" is declared twice',
    ],
    [
      'an attribute that is a word of CEL',
      'age: int',
      'in: int',
      'agent.yaml:5:29 "in" is a word of the condition language',
    ],
    ['an attribute with another name', 'age: int', 'a-b: int', 'agent.yaml:5:29 "a-b" cannot be a name here'],
    [
      'an unknown type of attribute',
      'age: int',
      'age: number',
      'agent.yaml:5:34 "age" cannot be "number" - Write one of string, bool, int, double',
    ],
    [
      'args that are no JSON Schema',
      'type: integer',
      'type: intger',
      'agent.yaml:13:85 "type" must be one of null, boolean, object, array, number, integer, string, or a list of them - Did you mean "integer"?',
    ],
    [
      'a pattern that can backtrack only',
      'id: { type: string }',
      'id: { type: string, pattern: "(?=x)" }',
      'agent.yaml:12:120 The pattern cannot be used: error parsing regexp: invalid or unsupported Perl syntax: `(?=` - Use RE2 syntax: no lookaround, no backreference',
    ],
    [
      'a summary with an unknown placeholder',
      'cancel: {',
      'cancel: { summary: "Cancel {idd}",',
      'agent.yaml:12:22 "{idd}" is not one of the args of "cancel" - Did you mean "id"?',
    ],
    [
      'a redacted path in the summary',
      'cancel: {',
      'cancel: { redact: [note], summary: "Cancel {note}",',
      'agent.yaml:12:38 "{note}" is redacted',
    ],
    [
      'a redacted path that leads nowhere',
      'cancel: {',
      'cancel: { redact: [nota],',
      'agent.yaml:12:22 "nota" leads nowhere in the args of "cancel" - Did you mean "note"?',
    ],
    [
      'a redacted list that is none',
      'cancel: {',
      'cancel: { redact: ["note[]"],',
      '"note" is not a list: write it without []',
    ],
    [
      'a risk whose condition cannot be read',
      'cancel: {',
      'cancel: { risks: [{ when: "args.idd == 1", risk: high }],',
      'agent.yaml:12:35 There is no "idd" here - Did you mean "id"?',
    ],
    [
      'a risk that is always raised',
      'cancel: {',
      'cancel: { risks: [{ when: "1 == 1", risk: high }],',
      'agent.yaml:12:29 The condition is always true - Mend it, or set risk itself',
    ],
    [
      'a risk that raises nothing',
      'cancel: {',
      `cancel: { risk: high, risks: [{ when: 'args.id == "a"', risk: medium }],`,
      'agent.yaml:12:65 It raises nothing: the risk is high already - Write a higher risk, or remove it',
    ],
    [
      'a group with two sources',
      'desk: [ana, ben]',
      'desk: { people: [ana, ben], slackGroup: S01 }',
      'agent.yaml:4:14 Approver group "desk" has several sources',
    ],
    [
      'hours that are none',
      'desk: [ana, ben]',
      'desk: { people: [ana, ben], hours: { days: [mon], from: "08:00", to: "18:00", timezone: Utopia } }',
      'agent.yaml:4:42 Timezone "Utopia" is not known',
    ],
    [
      'a metric of an unknown tool',
      'unit: conversation',
      'unit: conversation, tool: cancle',
      'agent.yaml:9:47 Tool "cancle" is not declared - Did you mean "cancel"?',
    ],
    [
      'two people with one Slack account',
      '{ olga: {}, ana: {}',
      '{ olga: { slack: U1/T1 }, ana: { slack: U1/T1 }',
      '"ana" and "olga" have the same Slack account - List each person once',
    ],
  ])('with %s', (_, from, to, expected) => expect(withAgent(from, to)).toContain(expected));

  test('but in test mode owners may approve', () => {
    expect(withAgent('approvers: { desk: [ana, ben] }', 'approvers: { desk: [olga] }\ntestMode: true')).toBe(
      'valid',
    );
  });

  test('for several reasons at once', () => {
    const found = checkAgent(
      agentOf({
        owners: ['zoe'],
        segments: [
          { name: 'a', when: 'true' },
          { name: 'a', when: 'contxt' },
        ],
        metrics: { m: { unit: 'x', business: 'y', tool: 'z' } },
      }),
    );
    expect(found.length).toBe(5);
  });
});
