import type { Agent } from '../agent.ts';
import { durationMs } from '../duration.ts';
import { CREDENTIAL_TTL_MAX_S, type Grant, type Guardrail, type Release, toolsOf } from '../release.ts';

/** The ways in which a release is made weaker than it is, and the one of an agent. */
export const MUTATION_KINDS = [
  'drop-condition',
  'ask-to-allow',
  'widen-limit',
  'add-segment',
  'loosen-guardrail',
  'drop-redaction',
] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

/** A weaker release or agent, and in words what became of it. */
export interface Mutation {
  kind: MutationKind;
  says: string;
  agent: Agent;
  release: Release;
}

type Weaker = Pick<Mutation, 'kind' | 'says'> & { release?: Release; agent?: Agent };

const TIMES = 10;

/** Every weakening of a release that its manifest has a place for, in the order of the manifest. */
export function mutationsOf(agent: Agent, release: Release): Mutation[] {
  const weaker: Weaker[] = [
    ...release.grants.flatMap((grant, at) => grantMutations(agent, release, grant, at)),
    ...exposureMutations(agent, release),
    ...release.rollout.guardrails.flatMap((guardrail, at) => guardrailMutations(release, guardrail, at)),
    ...redactionMutations(agent),
  ];
  return weaker.map((one) => ({ agent, release, ...one }));
}

function grantMutations(agent: Agent, release: Release, grant: Grant, at: number): Weaker[] {
  const tools = toolsOf(grant);
  const name = grant.name ?? `${tools.join(', ')} (grant ${at + 1})`;
  const put = (kind: MutationKind, says: string, changed: Grant | undefined): Weaker => ({
    kind,
    says: `${name}: ${says}`,
    release: { ...release, grants: release.grants.flatMap((one, i) => (i === at ? (changed ?? []) : one)) },
  });
  if (grant.deny !== undefined) return [put('drop-condition', 'it denies no more', undefined)];
  return [
    ...conditionMutations(grant, put),
    ...askMutations(grant, put),
    ...widerMutations(agent, grant, put),
  ];
}

type Put = (kind: MutationKind, says: string, changed: Grant | undefined) => Weaker;

function conditionMutations(grant: Grant, put: Put): Weaker[] {
  const { when, ...unconditional } = grant;
  const rules = typeof grant.approval === 'object' ? (grant.approval.rules ?? []) : [];
  return [
    ...(when === undefined ? [] : [put('drop-condition', 'its condition is dropped', unconditional)]),
    ...rules.flatMap(({ answer }, at) =>
      answer === 'approve' || typeof grant.approval !== 'object'
        ? []
        : [
            put('drop-condition', `its rule ${at + 1}, which would ${answer}, is dropped`, {
              ...grant,
              approval: { ...grant.approval, rules: rules.filter((_, i) => i !== at) },
            }),
          ],
    ),
  ];
}

function askMutations(grant: Grant, put: Put): Weaker[] {
  const { approval } = grant;
  if (approval === undefined || approval === 'none') return [];
  const unless = typeof approval === 'object' && approval.unless !== undefined;
  const says = unless ? 'it asks nobody, whatever "unless" says' : 'it asks nobody';
  const quorum = typeof approval === 'object' ? (approval.quorum ?? 1) : 1;
  return [
    put('ask-to-allow', says, { ...grant, approval: 'none' }),
    ...(quorum > 1 && typeof approval === 'object'
      ? [
          put('ask-to-allow', `it asks 1 instead of ${quorum}`, {
            ...grant,
            approval: { ...approval, quorum: 1 },
          }),
        ]
      : []),
  ];
}

function widerMutations(agent: Agent, grant: Grant, put: Put): Weaker[] {
  const { perHour, perDay } = grant.limits;
  const limits = {
    ...grant.limits,
    ...(perHour && { perHour: perHour * TIMES }),
    ...(perDay && { perDay: perDay * TIMES }),
  };
  const when = grant.when && widened(grant.when);
  const unless =
    typeof grant.approval === 'object' ? grant.approval.unless && widened(grant.approval.unless) : undefined;
  const { scopes, ttl } = grant.credential;
  const all = toolsOf(grant).flatMap((tool) => agent.tools[tool]?.scopes ?? []);
  return [
    ...((perHour ?? perDay)
      ? [put('widen-limit', `its limits are ${TIMES} times as wide`, { ...grant, limits })]
      : []),
    ...(when ? [put('widen-limit', `its condition reads ${when}`, { ...grant, when })] : []),
    ...(unless && typeof grant.approval === 'object'
      ? [
          put('widen-limit', `its "unless" reads ${unless}`, {
            ...grant,
            approval: { ...grant.approval, unless },
          }),
        ]
      : []),
    ...(durationMs(ttl) < CREDENTIAL_TTL_MAX_S * 1_000
      ? [
          put('widen-limit', `its credential lives ${CREDENTIAL_TTL_MAX_S} s`, {
            ...grant,
            credential: { ...grant.credential, ttl: `${CREDENTIAL_TTL_MAX_S}s` },
          }),
        ]
      : []),
    ...(scopes && all.some((scope) => !scopes.includes(scope))
      ? [put('widen-limit', 'its credential has every scope of the tool', { ...grant, credential: { ttl } })]
      : []),
  ];
}

/** `args.amount <= 100` with room for ten times as much; undefined where nothing is below a figure. */
function widened(condition: string): string | undefined {
  const wide = condition.replace(
    /(<=?\s*)(\d+)/g,
    (_, op: string, figure: string) => `${op}${Number(figure) * TIMES}`,
  );
  return wide === condition ? undefined : wide;
}

/** A segment that the first step leaves out, let in whole. */
function exposureMutations(agent: Agent, release: Release): Weaker[] {
  const [first, ...later] = release.rollout.constrained ?? [];
  if (first === undefined) return [];
  return agent.segments
    .map(({ name }) => name)
    .filter((name) => !Object.hasOwn(first.exposure, name) && !Object.hasOwn(first.exposure, '*'))
    .map((name) => {
      const exposure = { ...first.exposure, [name]: 100 };
      const constrained = [{ ...first, exposure }, ...later];
      return {
        kind: 'add-segment',
        says: `segment ${name} meets it from the first step on`,
        release: { ...release, rollout: { ...release.rollout, constrained } },
      };
    });
}

function guardrailMutations(release: Release, guardrail: Guardrail, at: number): Weaker[] {
  if (guardrail.action === 'report') return [];
  const put = (says: string, changed: Guardrail | undefined): Weaker => {
    const guardrails = release.rollout.guardrails.flatMap((one, i) => (i === at ? (changed ?? []) : one));
    const rollout = { ...release.rollout, guardrails };
    return {
      kind: 'loosen-guardrail',
      says: `${guardrail.metric}: ${says}`,
      release: { ...release, rollout },
    };
  };
  const { limit } = guardrail;
  return [
    put('no guardrail holds it', undefined),
    put('its guardrail only reports', { ...guardrail, action: 'report' }),
    ...(typeof limit === 'number'
      ? [
          put(`its limit is ${Math.min(1, limit * 4)} instead of ${limit}`, {
            ...guardrail,
            limit: Math.min(1, limit * 4),
          }),
        ]
      : []),
  ];
}

const redactionMutations = (agent: Agent): Weaker[] =>
  Object.entries(agent.tools).flatMap(([name, tool]) =>
    tool.redact.map((path) => {
      const redact = tool.redact.filter((one) => one !== path);
      const tools = { ...agent.tools, [name]: { ...tool, redact } };
      return {
        kind: 'drop-redaction' as const,
        says: `${name}: ${path} is shown`,
        agent: { ...agent, tools },
      };
    }),
  );
