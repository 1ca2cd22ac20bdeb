import { describeCredential } from '../decision/credential.ts';
import type { Decision } from '../decision/decide.ts';
import { redact } from '../decision/redact.ts';
import { renderSummary } from '../decision/summary.ts';
import { durationMs } from '../duration.ts';
import type { RegressionCase } from './case.ts';
import { type Finding, green, notApplicable, red, unevaluable } from './result.ts';
import { askOf, toolLeft, weighAnswer } from './run-ask.ts';
import { type CaseWorld, definitionOf } from './world.ts';

/** What could be asked at all: else neither its card nor its credential says anything. */
function asked(one: RegressionCase, world: CaseWorld): { decision: Decision } | { finding: Finding } {
  const left = toolLeft(one.given.tool ?? '', world);
  if (left) return { finding: left };
  const decision = askOf(one, world);
  const weighed = weighAnswer(decision, {});
  return weighed.verdict === 'unevaluable' ? { finding: weighed } : { decision };
}

/** Scopes no wider and a life no longer than the case says; what is denied has no credential at all. */
export function runCredential(one: RegressionCase, world: CaseWorld): Finding {
  const found = asked(one, world);
  if ('finding' in found) return found.finding;
  const { decision } = found;
  if (decision.outcome === 'denied') return green('Denied: nothing is minted');
  const minted = describeCredential(world.agent.agent, one.given.tool ?? '', decision.grant);
  if (minted === null) return green('Nothing is minted');
  const { scopes, ttlAtMost } = one.expect;
  const extra = scopes === undefined ? [] : minted.scopes.filter((scope) => !scopes.includes(scope));
  if (extra.length > 0) return red(`It also has ${extra.join(', ')}`);
  if (ttlAtMost !== undefined && minted.ttlMs > durationMs(ttlAtMost))
    return red(`It lives ${minted.ttlMs / 1_000} s, not at most ${ttlAtMost}`);
  return green(`${minted.scopes.join(', ') || 'no scopes'} for ${minted.ttlMs / 1_000} s`);
}

/** What people read of it before they answer: the summary and the arguments, as every surface gets them. */
export function runCard(one: RegressionCase, world: CaseWorld): Finding {
  const found = asked(one, world);
  if ('finding' in found) return found.finding;
  const tool = world.agent.tools.get(one.given.tool ?? '');
  if (tool === undefined) return unevaluable('The tool is not known');
  const args = one.given.args ?? {};
  const summary = renderSummary(tool, args);
  const text = [summary, tool.tool.consequence ?? '', ...textsOf(redact(tool, args))].join('\n');
  const { shows = [], hides = [] } = one.expect;
  const shown = hides.find((part) => text.includes(part));
  if (shown !== undefined) return red(`It shows "${shown}"`);
  const hidden = shows.find((part) => !text.includes(part));
  if (hidden !== undefined) return red(`It does not show "${hidden}"`);
  return green(summary);
}

/** Every text and number of the arguments, as a person reads it. */
function textsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap(textsOf);
}

/** Whether a tool is still what it was when the case was written. */
export function runCatalogue({ given, expect }: RegressionCase, { agent }: CaseWorld): Finding {
  const tool = given.tool ?? '';
  const now = definitionOf(agent.agent, tool);
  if (now === undefined) return notApplicable(`The agent has no tool "${tool}"`);
  return now === expect.definition
    ? green('The definition is the same')
    : red(`The definition of "${tool}" is another one: ${now}`);
}
