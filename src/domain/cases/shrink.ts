import type { Agent } from '../agent.ts';
import type { Decision } from '../decision/decide.ts';
import type { Release } from '../release.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { RegressionCase } from './case.ts';
import { readSetOf } from './read-set.ts';
import { askOf } from './run-ask.ts';
import { answerOf } from './strictness.ts';
import { Synthetic } from './synthetic.ts';
import { type CaseWorld, caseWorld } from './world.ts';

type Given = RegressionCase['given'];

/** A case without anything of a person, or why it cannot be made. */
export type Shrunk = { ok: true; given: Given; kept: string[] } | { ok: false; because: string };

/**
 * What was asked, with made-up values in its place: of the same types, valid by the schema, what was equal still equal. Members
 * that may be left out go. A value that the answer turns on is kept only where no made-up one gives the same answer by the
 * same grant, and is named in `kept`: somebody has to look at it. Pure.
 */
export function shrinkAsk(agent: Agent, release: Release, one: RegressionCase): Shrunk {
  const world = caseWorld(agent, release);
  const path = pathOf(one, world);
  const isSame = (given: Given): boolean => pathOf({ ...one, given }, world) === path;
  const tool = one.given.tool ?? '';
  const reads = readSetOf(agent, release, tool);
  const schema = agent.tools[tool]?.args as JsonSchema | undefined;
  const compared = constantsOf(release, agent);
  let given = withoutOptional(one.given, schema, isSame);
  const synthetic = new Synthetic(compared, one.given);
  const attributes = madeUp(given.attributes ?? {}, (name) => reads.has(`context.${name}`), synthetic);
  const args = synthetic.of(given.args ?? {}, schema) as Record<string, unknown>;
  const subject = 'case';
  const all: Given = { ...given, args, attributes, subject, vouched: subject };
  delete all.claimed;
  if (given.claimed !== undefined) all.claimed = synthetic.of(given.claimed) as Record<string, unknown>;
  if (isSame(all)) return { ok: true, given: all, kept: [] };
  // One value after the other, so that only what decides stays as it was.
  const kept: string[] = [];
  const before = given.args ?? {};
  given = { ...all, args: before };
  if (!isSame(given))
    return { ok: false, because: 'The answer turns on who asked: write the attributes by hand' };
  for (const name of Object.keys(before)) {
    const tried = { ...given, args: { ...given.args, [name]: args[name] } };
    if (isSame(tried)) given = tried;
    else kept.push(`args.${name}`);
  }
  return { ok: true, given, kept };
}

/** Outcome, grant and reasons: what made the answer. */
function pathOf(one: RegressionCase, world: CaseWorld): string {
  const decision: Decision = askOf(one, world);
  const codes = decision.reasons.map(({ code }) => code);
  return JSON.stringify([answerOf(decision), decision.grant?.name ?? null, codes, decision.segment]);
}

/** Members that the schema does not require, left out one after the other as long as the answer stays. */
function withoutOptional(
  given: Given,
  schema: JsonSchema | undefined,
  isSame: (given: Given) => boolean,
): Given {
  const required = Array.isArray(schema?.required) ? schema.required : [];
  let left = given;
  for (const name of Object.keys(given.args ?? {})) {
    if (required.includes(name)) continue;
    const { [name]: _, ...args } = left.args ?? {};
    if (isSame({ ...left, args })) left = { ...left, args };
  }
  return left;
}

/** Attributes that a condition reads are compared and stay where the release itself names their value. */
function madeUp(
  attributes: Readonly<Record<string, unknown>>,
  isRead: (name: string) => boolean,
  synthetic: Synthetic,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      isRead(name) || typeof value !== 'number' ? synthetic.of(value) : 0,
    ]),
  );
}

/** Every text that the manifests write down, in conditions and lists: of the owner, of no person who was served. */
function constantsOf(release: Release, agent: Agent): ReadonlySet<string> {
  const quoted = /"([^"\\]*)"|'([^'\\]*)'/g;
  const conditions = [
    ...agent.segments.map(({ when }) => when),
    ...release.grants.flatMap(({ when, approval }) => [
      when ?? '',
      typeof approval === 'object' ? (approval.unless ?? '') : '',
      ...(typeof approval === 'object' ? (approval.rules ?? []).map((rule) => rule.when) : []),
    ]),
  ];
  const texts = conditions.flatMap((source) =>
    [...source.matchAll(quoted)].map(([, double, single]) => double ?? single ?? ''),
  );
  return new Set(['', ...texts]);
}
