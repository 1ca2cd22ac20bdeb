import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { segmentNames } from '../../src/domain/agent.ts';
import { compileAgent, compileRelease } from '../../src/domain/decision/compile.ts';
import { type Decision, decide } from '../../src/domain/decision/decide.ts';
import { harmLimit, valueProblem, weighed } from '../../src/domain/evidence/measure.ts';
import { freezeAt } from '../../src/domain/freeze.ts';
import { readManifest, readManifestValue } from '../../src/domain/manifest/manifest.ts';
import { segmentEdits } from '../../src/domain/manifest/segment-edits.ts';
import { formatProblems, type Problem } from '../../src/domain/problem.ts';
import { stepsWith } from '../../src/domain/rollout/join.ts';
import { boundsAt, planSegments, planSteps } from '../../src/domain/rollout/steps.ts';
import { rolloutSchema } from '../../src/domain/rollout-plan.ts';
import { AGENT_YAML, RELEASE_YAML } from './domain/manifest/fixtures.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const blocksOf = (page: string): string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) =>
    yaml.replace(/^ {3}/gm, (indent) => (page === 'docs/slack.md' ? '' : indent)),
  );
const told = (result: { ok: boolean; problems?: readonly Problem[] }): string =>
  result.ok ? '' : formatProblems(result.problems ?? []);

/** Applies a pair of manifests as they stand, and answers what is asked under them. */
function given(agentYaml: string, releaseYaml: string) {
  const agent = readManifest('agent.yaml', agentYaml, 'agent');
  if (!agent.ok) throw new Error(told(agent));
  const release = readManifest('release.yaml', releaseYaml, 'release', agent.value);
  if (!release.ok) throw new Error(told(release));
  const { value } = release;
  const world = {
    agent: compileAgent(agent.value),
    switches: [],
    inForce: Object.fromEntries(segmentNames(agent.value).map((segment) => [segment, value.release])),
    releases: { [value.release]: compileRelease(value, agent.value) },
  };
  return (tool: string, args: Record<string, unknown>, attributes: Record<string, unknown>): Decision =>
    decide({ tool, args, attributes, claimed: {}, subject: 'conversation-1' }, world);
}

/** The two that a page begins with. */
function givenPair(page: string) {
  const [agentYaml = '', releaseYaml = ''] = blocksOf(page);
  return given(agentYaml, releaseYaml);
}

describe('docs/manifests.md, asked', () => {
  const ask = givenPair('docs/manifests.md');
  const mail = (to: string, tier = 'gold') => ask('send_email', { to, subject: 'Hi' }, { tier });

  test('reads run', () => expect(ask('find_order', {}, { tier: 'gold' }).outcome).toBe('allowed'));
  test('mail asks desk', () => {
    const asked = mail('ann@elsewhere.org');
    expect(asked).toMatchObject({ outcome: 'pending', segment: 'default', risk: 'medium' });
    expect(asked.approval).toMatchObject({ stages: [[{ group: 'desk', quorum: 1 }]], remindAfter: '20m' });
  });
  test('unless it stays in the house: then it runs unasked, whatever its risk', () => {
    expect(mail('ann@example.com')).toMatchObject({
      outcome: 'allowed',
      risk: 'medium',
      grant: { credential: { scopes: ['email:send'], ttl: '60s' }, limits: { perHour: 20 } },
    });
    expect(mail('all@example.com')).toMatchObject({ outcome: 'allowed', risk: 'high' });
  });
  test('the first segment that matches, else default', () => {
    expect(mail('ann@example.com', 'beta').segment).toBe('beta');
  });
  test('what is not as declared is denied', () => {
    const why = (decision: Decision) => [decision.outcome, decision.reasons[0]?.code];
    expect(why(ask('send_email', { to: 'x' }, { tier: 'gold' }))).toEqual(['denied', 'args_invalid']);
    expect(why(ask('send_email', { to: 'x', subject: 'y' }, {}))).toEqual(['denied', 'attribute_missing']);
    expect(why(ask('delete_order', {}, { tier: 'gold' }))).toEqual(['denied', 'unknown_tool']);
  });
});

describe('docs/manifests.md, many tools at once and named lists, asked', () => {
  const [whole = '', , defaults = '', lists = ''] = blocksOf('docs/manifests.md');
  const args = {
    type: 'object',
    required: ['iban'],
    additionalProperties: false,
    properties: { iban: { type: 'string' } },
  };
  const agentOf = (more: object) => {
    const read = readManifestValue({ ...parse(whole), ...more }, 'agent');
    if (!read.ok) throw new Error(told(read));
    return read.value;
  };

  test('what tools share stands once, and a write that was forgotten stays a write', () => {
    const tools = { ...parse(whole).tools, find_order: {}, list_orders: {}, forgotten: {} };
    const agent = agentOf({ tools, ...parse(defaults) });
    expect(agent.tools.find_order).toMatchObject({ kind: 'read', risk: 'low', audience: 'shop' });
    expect(agent.tools.list_orders).toMatchObject({ kind: 'read', risk: 'low', audience: 'shop' });
    expect(agent.tools.forgotten).toMatchObject({ audience: 'shop', risk: 'medium' });
    expect(agent.tools.forgotten?.kind).not.toBe('read');
  });

  test('a condition asks whether something is in a list', () => {
    const agent = agentOf({ tools: { pay: { kind: 'write', args } }, metrics: {} });
    const shown = parse(lists) as { lists: object };
    // The file stands beside the manifest; whoever applies it reads it.
    const value = { agent: 'mailer', release: 9, ...shown, lists: { ...shown.lists, staff: ['ana'] } };
    const release = readManifestValue(value, 'release', agent);
    if (!release.ok) throw new Error(told(release));
    const world = {
      agent: compileAgent(agent),
      switches: [],
      inForce: { default: '9' },
      releases: { 9: compileRelease(release.value, agent) },
    };
    const pay = (iban: string) =>
      decide({ tool: 'pay', args: { iban }, attributes: { tier: 'gold' }, claimed: {}, subject: 's' }, world);
    expect(pay('DE02120300000000202051').outcome).toBe('allowed');
    expect(pay('DE00')).toMatchObject({ outcome: 'denied', reasons: [{ code: 'condition_not_met' }] });
  });
});

describe('docs/approval-policies.md, asked', () => {
  const ask = givenPair('docs/approval-policies.md');
  const mail = (recipients: number, subject = 'Hello') => ask('send_email', { subject, recipients }, {});

  test('a rule approves low risk', () =>
    expect(mail(1)).toMatchObject({
      outcome: 'allowed',
      reasons: [{ code: 'approved_by_rule', message: 'one person at a time' }],
    }));
  test('a rule that asks goes before it', () =>
    expect(mail(1, 'Your Invoice')).toMatchObject({ outcome: 'pending', risk: 'low' }));
  test('and one that denies before both', () =>
    expect(mail(5001, 'Your invoice')).toMatchObject({
      outcome: 'denied',
      reasons: [{ code: 'denied_by_rule', message: 'use the newsletter' }],
    }));
  test('all else asks in stages', () => {
    const asked = mail(60);
    expect(asked).toMatchObject({ outcome: 'pending', risk: 'high' });
    expect(asked.approval?.stages).toEqual([
      [
        { group: 'desk', quorum: 1 },
        { group: 'legal', quorum: 1 },
      ],
      [{ group: 'leads', quorum: 1 }],
    ]);
    expect(asked.approval).toMatchObject({
      reason: 'required',
      slackApproves: 'not-high',
      breakGlass: 'emergency',
    });
    expect(mail(2)).toMatchObject({ outcome: 'pending', risk: 'low' });
  });
});

test('what other pages show of a manifest fits into one', () => {
  const whole = blocksOf('docs/manifests.md')[0] ?? '';
  const parts = ['docs/slack.md', 'docs/waiting.md'].flatMap((page) => blocksOf(page));
  expect(
    parts.map((part) => told(readManifestValue({ ...parse(whole), ...withPeople(part, whole) }, 'agent'))),
  ).toEqual(parts.map(() => ''));
});

test('what docs/choosing-guardrails.md shows of metrics and guardrails fits together', () => {
  const [metrics = '', sources = '', ...parts] = blocksOf('docs/choosing-guardrails.md');
  const shown = { ...parse(metrics).metrics, ...parse(sources).metrics };
  const agent = readManifestValue({ ...parse(AGENT_YAML), metrics: shown }, 'agent');
  if (!agent.ok) throw new Error(told(agent));
  const guardrails = parts.map((part) => {
    const release = readManifestValue(
      { ...parse(RELEASE_YAML), rollout: parse(part) },
      'release',
      agent.value,
    );
    return release.ok ? release.value.rollout.guardrails : told(release);
  });
  expect(guardrails).toMatchObject([
    [{ metric: 'wrong', limit: { baseline: { margin: 0.5 } } }],
    [{ metric: 'slow' }, { metric: 'cost' }],
    [{ metric: 'wrong', limit: 0.05, control: { ratio: 1.5 } }],
    [{ metric: 'cost', limit: 2, control: { more: 0.1 } }],
    [{ metric: 'slow', on: { breach: 'hold', inconclusive: 'pass' } }],
    [{ metric: 'wrong', early: { ask: 20, hold: 50, shrink: 100 } }],
  ]);
  const { solved, slow, cost, cost_per_case: perCase } = agent.value.metrics;
  if (!(solved && slow && cost && perCase)) throw new Error('the page shows other metrics');
  expect([weighed(solved, 0), weighed(solved, 1), harmLimit(solved, 0.9)]).toEqual([1, 0, 0.1]);
  expect([weighed(slow, 2.5), weighed(slow, 2.6), weighed(cost, 3)]).toEqual([0, 1, 3]);
  expect([valueProblem(perCase, 4, 3), valueProblem(perCase, 4)]).toEqual([
    undefined,
    expect.stringContaining('from 0 to 3'),
  ]);
});

test('the release of docs/writing-a-release.md, asked by the agent of the airline example', () => {
  const [release = ''] = blocksOf('docs/writing-a-release.md');
  const ask = given(readFileSync(join(ROOT, 'examples/airline/agent.yaml'), 'utf8'), release);
  const outcome = (tool: string, args: Record<string, unknown>, tier: string) =>
    ask(tool, args, { tier, test_group: false, cancellable: '' }).outcome;
  const cancel = (tier: string) => outcome('cancel_reservation', { reservation_id: 'ABC123' }, tier);
  expect([cancel('silver'), cancel('gold')]).toEqual(['allowed', 'pending']);
  const certificate = (amount: number) =>
    outcome('send_certificate', { user_id: 'mia_li_3668', amount }, 'silver');
  expect([certificate(500), certificate(501)]).toEqual(['pending', 'denied']);
  expect(outcome('get_user_details', { user_id: 'mia_li_3668' }, 'gold')).toBe('allowed');
  expect(outcome('list_all_airports', {}, 'gold')).toBe('denied');
});

test('the steps of docs/rollouts.md, asked of the release of docs/manifests.md', () => {
  const [steps = ''] = blocksOf('docs/rollouts.md');
  const [agentYaml = '', releaseYaml = ''] = blocksOf('docs/manifests.md');
  const agent = readManifest('agent.yaml', agentYaml, 'agent');
  if (!agent.ok) throw new Error(told(agent));
  const release = readManifestValue({ ...parse(releaseYaml), rollout: parse(steps) }, 'release', agent.value);
  if (!release.ok) throw new Error(told(release));
  const segments = { beta: { exposure: 10_000, generation: 1, state: 'exposed' as const } };
  const answers = planSteps(release.value.rollout, planSegments(agent.value)).map((step) => {
    const world = {
      agent: compileAgent(agent.value),
      switches: [],
      inForce: {},
      releases: { 2: compileRelease(release.value, agent.value) },
      rollout: { id: 'r', release: '2', salt: 's', subject: 'subject', segments, step, asks: 'desk' },
    };
    const args = { to: 'ann@example.com', subject: 'Hi' };
    const request = { tool: 'send_email', args, attributes: { tier: 'beta' }, claimed: {}, subject: 's' };
    const { outcome, reasons } = decide(request, world);
    return outcome === 'denied' ? reasons[0]?.code : outcome;
  });
  expect(answers.slice(1)).toEqual(['not_in_step', 'pending', 'pending', 'allowed']);
});

test('what docs/rollouts.md shows of a freeze holds from its first moment to its last', () => {
  const [, part = ''] = blocksOf('docs/rollouts.md');
  const agent = readManifestValue({ ...parse(AGENT_YAML), ...parse(part) }, 'agent');
  if (!agent.ok) throw new Error(told(agent));
  const isFrozen = (at: string) => freezeAt(agent.value, new Date(at)) !== undefined;
  expect(
    ['2026-12-19T23:59:59Z', '2026-12-20T00:00:00Z', '2027-01-04T06:59:59Z', '2027-01-04T07:00:00Z'].map(
      isFrozen,
    ),
  ).toEqual([false, true, true, false]);
});

test('a segment that comes later takes the steps as docs/rollouts.md shows them', () => {
  const [steps = '', , segments = ''] = blocksOf('docs/rollouts.md');
  const [agentYaml = ''] = blocksOf('docs/manifests.md');
  const before = parse(agentYaml);
  const [agent, later] = [before, { ...before, ...parse(segments) }].map((value) => {
    const read = readManifestValue(value, 'agent');
    if (!read.ok) throw new Error(told(read));
    return read.value;
  });
  if (!agent || !later) throw new Error('there are two');
  expect(segmentEdits(agent, later)).toEqual({ added: ['partners'], problems: [] });
  const rollout = rolloutSchema.parse(parse(steps));
  const joined = stepsWith(planSteps(rollout, planSegments(agent)), {
    ...{ segment: 'partners', stepIndex: 3 },
    planned: planSteps(rollout, planSegments(later)),
  });
  const shown = joined.slice(3).map((step) => {
    const percent = (segment: string) => `${(step.exposure[segment] ?? 0) / 100} %`;
    const asks = boundsAt(step, 'partners')?.writes === 'ask' && step.index > 3 ? ', each write asks' : '';
    const cells = [`${step.fromDay}–${step.toDay}`, percent('beta'), percent('default')];
    return `| ${[...cells, percent('partners') + asks].join(' | ')} |`;
  });
  const page = readFileSync(join(ROOT, 'docs/rollouts.md'), 'utf8');
  expect(shown).toHaveLength(3);
  for (const row of shown) expect(page).toContain(row);
});

/** A page shows some of the people only. */
function withPeople(part: string, whole: string): Record<string, unknown> {
  const shown = parse(part) as Record<string, unknown>;
  return shown.people ? { ...shown, people: { ...parse(whole).people, ...(shown.people as object) } } : shown;
}

test('no page shows manifests that nobody asks about here', () => {
  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`)];
  const count = pages
    .filter((page) => page.endsWith('.md'))
    .map((page) => [page, blocksOf(page).length] as const)
    .filter(([, blocks]) => blocks > 0);
  expect(count).toEqual([
    ['docs/approval-policies.md', 2],
    ['docs/business-metrics.md', 2],
    ['docs/choosing-guardrails.md', 8],
    ['docs/manifests.md', 4],
    ['docs/regression-cases.md', 1],
    ['docs/rollouts.md', 3],
    ['docs/slack.md', 1],
    ['docs/waiting.md', 1],
    ['docs/writing-a-release.md', 1],
  ]);
});
