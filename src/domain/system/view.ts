import type { Risk } from '../agent.ts';
import type { AgentFacts, Flow, SystemFacts } from './facts.ts';
import { type FigureFacts, figuresOf } from './figures.ts';
import type { Node } from './node.ts';
import { litStages } from './path.ts';
import { STAGES, type Stage, type StageOwner } from './stages.ts';

/** Of what happened in a stage or to a tool in the window. */
export interface Figures {
  events: number;
  perMinute: number;
  p95Ms: number | null;
  errors: number | null;
  /** Of what could have been one; null where nothing could, or nothing says. */
  errorShare: number | null;
  lastSeen: string | null;
}

export interface StageView extends Omit<Stage, 'owner'> {
  owner: string;
  figures: Figures;
  nodes: readonly Node[];
  /** On the way of the incident that is shown. */
  lit: boolean;
  /** The link that failed in it. */
  failed: boolean;
}

/** `enforced`, `advisory`, seen `outside`, or `idle`: nothing in the window. */
export type Line = 'enforced' | 'advisory' | 'outside' | 'idle';

export interface ToolView extends Figures {
  agent: string;
  tool: string;
  kind: 'read' | 'write';
  risk: Risk;
  owner: string;
  line: Line;
  denied: number;
  waited: number;
  begun: number;
  executed: number;
  corrected: number;
  /** What is known of writes upstream that had no begin. */
  outside: string;
  lit: boolean;
}

export interface SystemView {
  asOf: string;
  from: string;
  shortened: boolean;
  agents: readonly string[];
  stages: readonly StageView[];
  /** By agent and name, declared ones first of all; each has its place whatever happened. */
  tools: readonly ToolView[];
  notes: readonly string[];
  incident?: { id: string; title: string; openedAt: string; mechanism: string | null; failed: string | null };
}

export const GROUPED_ABOVE = 40;
const MINUTE_MS = 60_000;

/** Pure: the same facts give the same view. */
export function systemView(facts: SystemFacts): SystemView {
  const minutes = Math.max(1, Date.parse(facts.asOf) - Date.parse(facts.from)) / MINUTE_MS;
  const { lit, failed, tools: litTools } = litStages(facts.incident);
  const { incident } = facts;
  return {
    asOf: facts.asOf,
    from: facts.from,
    shortened: facts.shortened,
    agents: facts.agents.map(({ agent }) => agent),
    stages: STAGES.map((stage) => {
      const { nodes, ...figures } = figuresOf(stage.id, facts);
      return {
        ...stage,
        owner: ownerOf(stage.owner, facts.agents),
        figures: withRate(figures, minutes),
        nodes,
        lit: lit.has(stage.id),
        failed: failed === stage.id,
      };
    }),
    tools: facts.agents.flatMap((agent) => toolsOf(agent, facts, minutes, litTools)),
    notes: notesOf(facts),
    ...(incident && {
      incident: {
        id: incident.id,
        title: incident.title,
        openedAt: incident.openedAt,
        mechanism: incident.mechanism,
        failed: failed ?? null,
      },
    }),
  };
}

const withRate = (figures: FigureFacts, minutes: number): Figures => ({
  events: figures.events,
  perMinute: round(figures.events / minutes),
  p95Ms: figures.p95Ms ?? null,
  errors: figures.errors ?? null,
  errorShare: figures.errors !== undefined && figures.of ? round(figures.errors / figures.of) : null,
  lastSeen: figures.lastSeen ?? null,
});

const round = (value: number): number => Number(value.toPrecision(4));

const ROLES: Readonly<Record<StageOwner, (agent: AgentFacts) => readonly string[]>> = {
  owners: ({ owners }) => owners,
  onCall: ({ onCall }) => onCall,
  deployers: ({ deployers, owners }) => (deployers.length > 0 ? deployers : owners),
  approvers: ({ groups }) => groups,
  platform: () => [],
};

const NAMES_MAX = 6;

function ownerOf(owner: StageOwner, agents: readonly AgentFacts[]): string {
  if (owner === 'platform') return 'whoever runs the service';
  const names = [...new Set(agents.flatMap(ROLES[owner]))].sort();
  const more = names.length - NAMES_MAX;
  return names.length === 0
    ? 'nobody'
    : names.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function toolsOf(
  agent: AgentFacts,
  facts: SystemFacts,
  minutes: number,
  lit: ReadonlySet<string>,
): ToolView[] {
  const declared = [...agent.tools].sort((a, b) => (a.name < b.name ? -1 : 1));
  return declared.map((tool) => {
    const flow = facts.flows.find(
      (one) => one.by === 'tool' && one.agent === agent.agent && one.name === tool.name,
    );
    const outside = facts.outside.filter((one) => one.agent === agent.agent && one.tool === tool.name);
    return {
      agent: agent.agent,
      tool: tool.name,
      kind: tool.write ? 'write' : 'read',
      risk: tool.risk,
      owner: ownerOf('owners', [agent]),
      line: lineOf(tool.advisory, outside.length > 0, flow),
      ...withRate(ofTool(flow), minutes),
      denied: flow?.denied ?? 0,
      waited: flow?.waited ?? 0,
      begun: flow?.begun ?? 0,
      executed: flow?.executed ?? 0,
      corrected: flow?.corrected ?? 0,
      outside: outsideText(tool.advisory, outside),
      lit: lit.has(tool.name) && facts.incident?.agent === agent.agent,
    };
  });
}

/** A tool is as slow as it is to run; its errors are what it failed or stayed silent in. */
const ofTool = (flow: Flow | undefined): FigureFacts => ({
  events: flow?.asked ?? 0,
  p95Ms: flow?.runMs,
  errors: (flow?.failed ?? 0) + (flow?.unknown ?? 0),
  of: (flow?.executed ?? 0) + (flow?.failed ?? 0) + (flow?.unknown ?? 0),
  lastSeen: flow?.askedAt,
});

function lineOf(advisory: boolean, outside: boolean, flow: Flow | undefined): Line {
  if (outside) return 'outside';
  if ((flow?.asked ?? 0) === 0) return 'idle';
  return advisory ? 'advisory' : 'enforced';
}

function outsideText(advisory: boolean, seen: readonly { incident: string; writes: number }[]): string {
  if (seen.length > 0)
    return `seen without a begin: ${seen.map(({ incident, writes }) => `${incident}${writes > 0 ? ` (${writes})` : ''}`).join(', ')}`;
  return advisory
    ? 'cannot tell: the agent also holds a key, and nothing lists what it did with it'
    : 'none reported; no other key is declared';
}

function notesOf({ shortened, from, agents, incident, outside }: SystemFacts): string[] {
  const later = agents.filter(({ changedSince }) => changedSince).map(({ agent }) => agent);
  const unnamed = outside.filter(({ tool }) => tool === null);
  return [
    ...(shortened ? [`More was asked than is looked at: the window begins at ${from}`] : []),
    ...(later.length > 0
      ? [`The manifest of ${later.join(', ')} was changed since: tools, groups and owners are those of now`]
      : []),
    ...(incident && incident.actions.length === 0
      ? [`${incident.id} names no action that is still recorded: its path is that of its segment and metric`]
      : []),
    ...(incident && incident.mechanism === null
      ? [`${incident.id} is not classified: no link is marked`]
      : []),
    ...unnamed.map(
      ({ agent, incident: id }) => `${id}: a write of ${agent} was seen without a begin; it names no tool`,
    ),
  ];
}
