import { LEARNING_RULES } from './docs-learning.ts';
import type { Given, Rule } from './docs-rule.ts';
import type { DocsWorld } from './docs-world.ts';

const withId =
  (make: (world: DocsWorld) => Promise<string>): Rule =>
  async (world) => ({ id: await make(world) });

const SOURCED_YAML = `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
tools: { cancel: { args: { type: object } } }
metrics:
  slow:
    unit: request
    business: customer effort
    source:
      sql:
        database: CALLS
        query: SELECT count(*) AS events, 0 AS harms FROM (VALUES ('2')) AS call (release) WHERE release = {release}
`;

const ratesYaml = (agent: string): string => `agent: ${agent}
currency: EUR
owner: ana
rates: [{ metric: wrong, amount: 40, validFrom: 2026-01-01, reason: two calls of the desk }]
`;

const costly = (agent: string): Record<string, string> => ({
  'agent.yaml': `agent: ${agent}
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold" }]
tools: { refund: {} }
metrics:
  cost: { unit: EUR, kind: sum, cap: 5, business: unit cost }
  wrong: { unit: conversation, corrections: true, business: workload }
`,
  'release-2.yaml': `agent: ${agent}
release: 2
grants: [{ tool: refund, approval: none }]
rollout: { guardrails: [{ metric: cost, limit: 0.4, reason: what a case costs today }] }
`,
});

const againstBaseline = (agent: string): string => `agent: ${agent}
release: 2
grants: [{ tool: refund, approval: none }]
rollout: { guardrails: [{ metric: wrong, limit: { baseline: { margin: 0.5 } }, reason: no worse than today }] }
`;

const proposed: Rule = async (world, agent) => ({ cwd: await world.cases(agent) });
const admitted: Rule = async (world, agent) => ({ cwd: await world.cases(agent, 'admitted') });

/** The first that matches; most commands need nothing. */
const RULES: readonly (readonly [RegExp, Rule])[] = [
  ...LEARNING_RULES,
  // An incident takes a wrong write: test/integration/cli/cases.test.ts makes cases of actions.
  [/ cases add --from/, () => ({ codes: [2], says: 'inc-4f2a91c07b' })],
  [/ cases add/, async (world) => ({ id: await world.asked(), cwd: world.folder() })],
  [/ cases (expect|retire)/, admitted],
  [/ cases /, proposed],
  [/ init\b/, (world) => ({ cwd: world.folder() })],
  [/ try .*tier=beta/, (world) => ({ cwd: world.manifestsOfDocs(), codes: [0] })],
  [/ try /, async (world) => ({ cwd: await world.firstManifests(), codes: [6] })],
  [/ adopt /, (world, agent) => world.nothingInForce(agent)],
  [/ action ask/, () => ({ codes: [6] })],
  [/ action show .*--wait/, withId((world) => world.executed())],
  [/ action correct| outcome record .*--action/, withId((world) => world.executed())],
  [/ outcome record .*--file/, (world) => world.outcomes()],
  [/ approvals approve .*--standing/, withId((world) => world.small())],
  [/ approvals standing revoke/, withId((world) => world.standing())],
  [/ approvals review /, withId((world) => world.brokenGlass())],
  [/ receipt get/, withId((world) => world.receiptsAbout())],
  [/ receipt verify .*--action/, (world) => ({ id: world.lastReceipt })],
  [/ deputy remove/, withId((world) => world.deputy())],
  [/ retention release/, (world) => world.held(3)],
  [/ subject erase/, (world) => world.askedAbout('customer-4711')],
  [/ token revoke/, withId((world) => world.token())],
  [
    / --bootstrap| --direct| migrate| recover/,
    async (world) => ({ env: { DATABASE_URL: await world.otherDatabase() } }),
  ],
  [/ enable /, (world) => world.must('disable', 'my-agent', '--reason', 'x').then(() => ({}))],
  [/ stats e-value .*--values/, (world) => ({ cwd: world.folder({ 'cost.txt': '0.4\n1.9\n12\n' }) })],
  [
    / source test/,
    async (world) => ({
      cwd: world.folder({ 'agent.yaml': SOURCED_YAML }),
      env: { PORTCULLIS_SOURCE_CALLS: await world.otherDatabase() },
    }),
  ],
  [/ rates apply/, (world) => ({ cwd: world.folder({ 'rates.yaml': ratesYaml('my-agent') }) })],
  [
    / rates show/,
    async (world, agent) => {
      world.write('rates.yaml', ratesYaml(agent));
      await world.must('rates', 'apply', 'rates.yaml');
    },
  ],
  [
    / rollout simulate .*--baseline/,
    (world, agent) => ({ cwd: world.folder({ ...costly(agent), 'release-2.yaml': againstBaseline(agent) }) }),
  ],
  [/ rollout simulate .*metric=cost/, (world, agent) => ({ cwd: world.folder(costly(agent)) })],
  // What is judged takes writes and outcomes: test/integration/cli/explain.test.ts has them.
  [
    / rollout explain .*--verdict/,
    async (world, agent) => {
      await world.rollout(agent);
      return { codes: [2], says: '42' };
    },
  ],
  [/ rollout start .*--none-yet/, (world, agent) => world.noRollout(agent)],
  // Who starts later has regression cases: test/integration/rollouts/preflight.test.ts.
  [
    / rollout start/,
    async (world, agent) => {
      await world.noRollout(agent);
      return { codes: [1], says: 'Code: preflight_failed' };
    },
  ],
  [/ preflight /, () => ({ codes: [0, 1] })],
  [/ rollout resume/, (world, agent) => world.rollout(agent, 'pause')],
  [/ rollout (reenter|exclude)/, (world, agent) => world.rollout(agent, 'rollback', '--segment', 'gold')],
  [/ rollout /, (world, agent) => world.rollout(agent)],
  // What carries it takes a hundred writes: test/integration/cli/autonomy.test.ts has enough.
  [/ autonomy confirm/, async (world) => ({ codes: [1], says: refusal(await world.autonomy('proposed')) })],
  [/ autonomy refuse/, (world) => world.autonomy('proposed')],
  [/ autonomy take-back/, (world) => world.autonomy('allow')],
  // Whether this machine has Slack tokens and a Temporal is not what the docs promise.
  [/ doctor/, () => ({ codes: [0, 1] })],
  [/\b(6f1d6f0e|0193a7c4-5e2f|ID)\b/, withId((world) => world.asked())],
];

const refusal = (_: unknown): string => 'Code: gate_not_ready';

/** Puts things as the command expects them. */
export async function givenFor(world: DocsWorld, line: string): Promise<Given> {
  const [, rule] = RULES.find(([pattern]) => pattern.test(line)) ?? [];
  const agent = / (my-agent|airline-desk|airline)\b/.exec(line)?.[1] ?? 'my-agent';
  const given = ((await rule?.(world, agent)) ?? {}) as Given;
  await world.sequence();
  return given;
}
