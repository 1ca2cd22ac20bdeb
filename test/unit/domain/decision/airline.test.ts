import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { decide, type World } from '../../../../src/domain/decision/decide.ts';
import { redact } from '../../../../src/domain/decision/redact.ts';
import { renderSummary } from '../../../../src/domain/decision/summary.ts';
import { parseExactJson } from '../../../../src/domain/exact-json.ts';
import { checkFirstRelease } from '../../../../src/domain/manifest/check-release.ts';
import { formatProblems, readManifest } from '../../../../src/domain/manifest/manifest.ts';
import type { Release } from '../../../../src/domain/release.ts';
import { planSegments, planSteps } from '../../../../src/domain/rollout/steps.ts';

interface Call {
  tool: string;
  kind: 'read' | 'write';
  args: Record<string, unknown>;
}

const fileOf = (name: string): string =>
  readFileSync(new URL(`../../../../examples/airline/${name}`, import.meta.url), 'utf8');

function mustBeValid<T>(
  result: { ok: true; value: T } | { ok: false; problems: Parameters<typeof formatProblems>[0] },
): T {
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.value;
}

const agent = mustBeValid(readManifest('agent.yaml', fileOf('agent.yaml'), 'agent'));
const releaseOf = (name: string): Release => mustBeValid(readManifest(name, fileOf(name), 'release', agent));
const [first, second] = [releaseOf('release-1.yaml'), releaseOf('release-2.yaml')];
const compiled = compileAgent(agent);
const lines = fileOf('airline-episodes.jsonl').trim().split('\n');
const episodes = lines.map((line) => JSON.parse(line) as { episode: string; segment: string; calls: Call[] });
const calls = episodes.flatMap((episode) => episode.calls);

describe('the airline example', () => {
  test('release 1 may be adopted, release 2 may not', () => {
    expect(checkFirstRelease(first, agent)).toEqual([]);
    expect(checkFirstRelease(second, agent)).toMatchObject([{ path: ['grants', 2, 'approval'] }]);
  });

  test('declares the 12 tools of the recording with their kinds', () => {
    expect(Object.keys(agent.tools).sort()).toEqual([...new Set(calls.map((call) => call.tool))].sort());
    for (const call of calls) expect(agent.tools[call.tool]?.kind, call.tool).toBe(call.kind);
  });

  test('all 976 recorded calls fit their schemas', () => {
    expect(calls).toHaveLength(976);
    const told = calls.map((call) => {
      const tool = compiled.tools.get(call.tool);
      return tool ? tool.args.misfit(call.args) : 'unknown tool';
    });
    expect(told.filter((misfit) => misfit !== undefined)).toEqual([]);
  });

  test('what its pattern does not match is denied before anybody is asked', () => {
    const cancel = compiled.tools.get('cancel_reservation');
    expect(cancel?.args.misfit({ reservation_id: 'ABC123' })).toBeUndefined();
    expect(cancel?.args.misfit({ reservation_id: 'ABC1234 ; drop everything' })).toBe(
      'args/reservation_id must match pattern "^[A-Z0-9]{6}$"',
    );
  });

  test('every line is exact JSON', () => {
    for (const line of lines) expect(parseExactJson(line)).toEqual({ ok: true, value: JSON.parse(line) });
  });

  test('no birth date and no payment id survives redaction, nor shows in a summary', () => {
    for (const call of calls) {
      const tool = compiled.tools.get(call.tool);
      if (!tool) throw new Error(call.tool);
      const shown = `${JSON.stringify(redact(tool, call.args))} ${renderSummary(tool, call.args)}`;
      expect(shown).not.toMatch(/"dob":"\d|credit_card_|gift_card_|certificate_\d/);
    }
  });

  test('release 2 covers 90 days in five steps and reaches everyone', () => {
    const steps = planSteps(second.rollout, planSegments(agent));
    expect(steps.map(({ phase, fromDay, toDay }) => [phase, fromDay, toDay])).toEqual([
      ['baseline', 0, 30],
      ['constrained', 30, 45],
      ['constrained', 45, 60],
      ['scale', 60, 75],
      ['scale', 75, 90],
    ]);
    expect(steps[3]?.exposure).toEqual({
      'silver-test': 10_000,
      silver: 5_000,
      gold: 2_500,
      regular: 2_500,
      default: 2_500,
    });
    expect(Object.values(steps[4]?.exposure ?? {})).toEqual([10_000, 10_000, 10_000, 10_000, 10_000]);
  });

  test('release 1 asks the desk for each of the 250 writes and lets each of the 726 reads run', () => {
    const inForce = Object.fromEntries(compiled.segments.map(({ name }) => [name, '1']));
    const world: World = {
      agent: compiled,
      switches: [],
      inForce,
      releases: { 1: compileRelease(first, agent) },
    };
    const counts: Record<string, number> = {};
    for (const { episode, segment, calls: made } of episodes)
      for (const { tool, args } of made) {
        const attributes = { tier: segment, test_group: false, cancellable: '' };
        const decision = decide({ tool, args, attributes, claimed: {}, subject: episode }, world);
        expect(decision.segment).toBe(segment);
        counts[decision.outcome] = (counts[decision.outcome] ?? 0) + 1;
      }
    expect(counts).toEqual({ pending: 250, allowed: 726 });
  });
});
