import type { Flow, SystemFacts } from './facts.ts';
import type { Node } from './node.ts';
import type { StageId } from './stages.ts';

/** What a stage saw; `of`: what could have been an error. */
export interface FigureFacts {
  events: number;
  p95Ms?: number | null | undefined;
  errors?: number;
  of?: number;
  lastSeen?: string | null | undefined;
}

type Seen = FigureFacts & { nodes: readonly Node[] };
type FigureOf = (facts: SystemFacts, all: Totals) => Seen;

/** What is shown of a stage. */
export const figuresOf = (id: StageId, facts: SystemFacts): Seen => FIGURES[id](facts, new Totals(facts));

type Count = {
  [Key in keyof Flow]: Flow[Key] extends number ? Key : never;
}[keyof Flow];
type Time = {
  [Key in keyof Flow]-?: Key extends `${string}At` ? Key : never;
}[keyof Flow];
type Span = {
  [Key in keyof Flow]-?: Key extends `${string}Ms` ? Key : never;
}[keyof Flow];

/** Over the agents that are shown. */
class Totals {
  private readonly flows: readonly Flow[];
  constructor({ flows }: SystemFacts) {
    this.flows = flows.filter(({ by, agent }) => by === 'all' && agent === null);
  }
  sum = (...keys: readonly Count[]): number =>
    this.flows.reduce((sum, flow) => sum + keys.reduce((more, key) => more + flow[key], 0), 0);
  last = (key: Time): string | null => this.flows.map((flow) => flow[key]).find((at) => at !== null) ?? null;
  p95 = (key: Span): number | null => this.flows.map((flow) => flow[key]).find((ms) => ms !== null) ?? null;
}

const ofFlows =
  (by: Flow['by']): FigureOf =>
  (facts, all) => ({
    events: all.sum('asked'),
    errors: all.sum('denied'),
    of: all.sum('asked'),
    lastSeen: all.last('askedAt'),
    nodes: nodesOf(facts, by),
  });

/** What is there of a kind: of several agents each by its agent's name too. */
function nodesOf({ flows, agents }: SystemFacts, by: Flow['by']): Node[] {
  return flows
    .filter((flow) => flow.by === by && flow.name !== null && (by === 'asker' || flow.agent !== null))
    .map((flow) => ({
      name: by !== 'asker' && agents.length > 1 ? `${flow.agent}/${flow.name}` : String(flow.name),
      events: flow.asked,
      ...(flow.denied > 0 && { detail: `${flow.denied} denied` }),
    }))
    .sort(byName);
}

const byName = (a: Node, b: Node): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const FIGURES: Readonly<Record<StageId, FigureOf>> = {
  surfaces: (facts, all) => ({
    events: all.sum('asked') + facts.answers.reduce((sum, { answers }) => sum + answers, 0),
    lastSeen: latest([all.last('askedAt'), ...facts.answers.map(({ at }) => at)]),
    nodes: [
      ...nodesOf(facts, 'asker').map((node) => ({ ...node, name: `asks: ${node.name}` })),
      ...facts.answers.map(({ via, answers }) => ({ name: `answers: ${via}`, events: answers })),
    ],
  }),
  agents: (facts, all) => ({
    ...ofFlows('all')(facts, all),
    nodes: facts.agents.map(({ agent }) => ({
      name: agent,
      events: facts.flows.find((flow) => flow.by === 'all' && flow.agent === agent)?.asked ?? 0,
    })),
  }),
  versions: ofFlows('version'),
  segments: (facts, all) => {
    const seen = ofFlows('segment')(facts, all);
    const known = new Set(seen.nodes.map(({ name }) => name));
    const declared = facts.agents.flatMap(({ agent, segments }) =>
      segments.map((segment) => (facts.agents.length > 1 ? `${agent}/${segment}` : segment)),
    );
    const idle = declared.filter((name) => !known.has(name)).map((name) => ({ name, events: 0 }));
    return { ...seen, nodes: [...seen.nodes, ...idle].sort(byName) };
  },
  release: (facts, all) => {
    const seen = nodesOf(facts, 'release');
    const decided = facts.flows
      .filter(({ by, agent, name }) => by === 'release' && agent !== null && name !== null)
      .reduce((sum, { asked }) => sum + asked, 0);
    const force = facts.agents.flatMap(({ inForce }) =>
      inForce.map(({ segment, release }) => ({
        name: `${segment}: ${release}`,
        events: 0,
        detail: 'in force',
      })),
    );
    return {
      events: decided,
      errors: all.sum('denied'),
      of: all.sum('asked'),
      lastSeen: all.last('askedAt'),
      nodes: [...force, ...seen.map((node) => ({ ...node, name: `release ${node.name}` }))],
    };
  },
  arm: ofFlows('arm'),
  rule: (facts, all) => ({
    ...ofFlows('rule')(facts, all),
    errors: all.sum('deniedByPolicy'),
  }),
  approvers: (facts, all) => ({
    events: all.sum('waited'),
    errors: all.sum('expired'),
    of: all.sum('waited'),
    p95Ms: all.p95('answerMs'),
    lastSeen: all.last('waitedAt'),
    nodes: facts.agents.flatMap(({ agent, groups }) =>
      groups.map((name) => ({
        name: facts.agents.length > 1 ? `${agent}/${name}` : name,
        events: 0,
        detail: 'group',
      })),
    ),
  }),
  begin: (_, all) => ({
    events: all.sum('begun'),
    errors: all.sum('lost'),
    of: all.sum('begun', 'lost'),
    p95Ms: all.p95('beginMs'),
    lastSeen: all.last('begunAt'),
    nodes: [],
  }),
  credential: (_, all) => ({
    events: all.sum('credentialed'),
    errors: all.sum('begun') - all.sum('credentialed'),
    of: all.sum('begun'),
    lastSeen: all.last('credentialAt'),
    nodes: [],
  }),
  gateway: (facts, all) => ({
    events: all.sum('executed', 'failed', 'unknown'),
    errors: all.sum('failed', 'unknown'),
    of: all.sum('executed', 'failed', 'unknown'),
    p95Ms: all.p95('runMs'),
    lastSeen: all.last('completedAt'),
    nodes: facts.agents.flatMap(({ tools }) =>
      tools.filter(({ advisory }) => advisory).map(({ name }) => ({ name, events: 0, detail: 'advisory' })),
    ),
  }),
  switch: ({ off }, all) => ({
    events: all.sum('stopped'),
    lastSeen: latest(off.map(({ since }) => since)),
    nodes: off.map(({ scope, since, reason }) => ({
      name: scope,
      events: 0,
      detail: `off since ${since}: ${reason}`,
    })),
  }),
  epoch: ({ epoch }, all) => ({
    events: all.sum('superseded'),
    lastSeen: all.last('endedAt'),
    nodes: [{ name: `last stop: epoch ${epoch}`, events: 0 }],
  }),
  outcomes: (_, all) => ({
    events: all.sum('measured'),
    errors: all.sum('corrected'),
    of: all.sum('executed'),
    p95Ms: all.p95('outcomeMs'),
    lastSeen: all.last('outcomeAt'),
    nodes: [],
  }),
  guardrails: ({ verdicts }) => ({
    events: verdicts.length,
    errors: verdicts.filter(({ verdict }) => verdict === 'breach').length,
    of: verdicts.length,
    lastSeen: latest(verdicts.map(({ at }) => at)),
    nodes: verdicts.map(({ metric, segment, verdict }) => ({
      name: `${metric} in ${segment === '*' ? 'all together' : segment}`,
      events: 0,
      detail: verdict,
    })),
  }),
  judge: ({ verdicts, from }) => {
    const judged = verdicts.filter(({ at }) => at >= from);
    const blind = judged.filter(({ verdict }) => verdict === 'no-data' || verdict === 'source-down');
    return {
      events: judged.length,
      errors: blind.length,
      of: judged.length,
      lastSeen: latest(verdicts.map(({ at }) => at)),
      nodes: [],
    };
  },
  business: ({ verdicts }) => ({
    events: 0,
    nodes: [...new Set(verdicts.flatMap(({ business }) => business ?? []))]
      .sort()
      .map((name) => ({ name, events: 0, detail: 'declared' })),
  }),
};

const latest = (times: readonly (string | null)[]): string | null =>
  times.reduce<string | null>((last, at) => (at !== null && (last === null || at > last) ? at : last), null);
