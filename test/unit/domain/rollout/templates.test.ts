import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatProblems, readManifestValue } from '../../../../src/domain/manifest/manifest.ts';
import { planSegments, planSteps } from '../../../../src/domain/rollout/steps.ts';
import { rolloutFrom, TEMPLATES, type TemplateName } from '../../../../src/domain/rollout/templates.ts';
import { AGENT_YAML, RELEASE_YAML } from '../manifest/fixtures.ts';

const AGENT = {
  ...parse(AGENT_YAML),
  metrics: {
    wrong: { unit: 'conversation', business: 'workload' },
    done: { unit: 'conversation', business: 'completion', direction: 'higher' },
    fresh: { unit: 'conversation', business: 'effort' },
    cost: { unit: 'EUR', business: 'unit cost', kind: 'sum' },
  },
};

function made(template: TemplateName, { days = 90, traffic = 12, agent: from = AGENT } = {}) {
  const agent = readManifestValue(from, 'agent');
  if (!agent.ok) throw new Error(formatProblems(agent.problems));
  const recorded: Record<string, { events: number; harms: number }> = {
    wrong: { events: 400, harms: 8 },
    done: { events: 400, harms: 30 },
  };
  const yaml = rolloutFrom(agent.value, {
    template,
    days,
    alpha: 0.05,
    traffic: (segment) => (segment === 'silver' ? traffic / 4 : traffic),
    recorded: (metric) => recorded[metric] ?? { events: 3, harms: 0 },
  });
  const release = readManifestValue({ ...parse(RELEASE_YAML), ...parse(yaml) }, 'release', agent.value);
  if (!release.ok) throw new Error(formatProblems(release.problems));
  return { yaml, rollout: release.value.rollout, agent: agent.value };
}

describe.each(Object.keys(TEMPLATES) as TemplateName[])('%s', (template) => {
  test.each([90, 30, 7])('is a valid rollout of %d days, which ends with everyone', (days) => {
    const { rollout, agent } = made(template, { days });
    const steps = planSteps(rollout, planSegments(agent));
    expect(steps.at(-1)?.toDay).toBeCloseTo(days, 1);
    expect(new Set(Object.values(steps.at(-1)?.exposure ?? {}))).toEqual(new Set([10_000]));
    for (const [at, step] of steps.entries())
      for (const [segment, exposure] of Object.entries(step.exposure))
        expect(exposure).toBeGreaterThanOrEqual(steps[at - 1]?.exposure[segment] ?? 0);
  });

  test('asks for no more than half of what comes in the thinnest segment', () => {
    const { rollout } = made(template);
    const last = rollout.scale?.at(-1);
    expect(last?.gate.sample).toBe(Math.floor((3 * (last?.days ?? 0)) / 2));
    expect(made(template, { traffic: 0 }).rollout.scale?.at(-1)?.gate.sample).toBe(1);
  });

  test('has limits of what was recorded, and else of the baseline', () => {
    const { rollout, yaml } = made(template);
    expect(rollout.guardrails.map(({ metric }) => metric)).toEqual(['wrong', 'done', 'fresh']);
    const [wrong, done, fresh] = rollout.guardrails.map(({ limit }) => limit);
    expect(wrong).toBeGreaterThan(8 / 400);
    expect(wrong).toBeLessThan(0.15);
    expect(done).toBeLessThan(1 - 30 / 400);
    expect(fresh).toEqual({ baseline: { margin: 0.5 } });
    expect(yaml).toContain('# - { metric: cost, limit: ?');
  });
});

test('of an agent with one segment and no metric it is valid too, and says what is missing', () => {
  const { segments: _, metrics: __, ...plain } = AGENT;
  const { yaml, rollout } = made('cautious-90', { agent: plain });
  expect(rollout.guardrails).toEqual([]);
  expect(yaml).toContain('without a guardrail nothing is taken back');
});
