import { RISKS, type Risk } from '../agent.ts';
import { GROUPED_ABOVE, type Line, type SystemView, type ToolView } from './view.ts';

/** One line across the columns: a tool, or above `GROUPED_ABOVE` of them all tools of a risk. */
export interface Lane {
  name: string;
  line: Line;
  tool: ToolView;
  lit: boolean;
}

const WORST: readonly Line[] = ['outside', 'advisory', 'enforced', 'idle'];

/** In their places: idle ones keep theirs. */
export function lanesOf({ tools, agents }: Pick<SystemView, 'tools' | 'agents'>): Lane[] {
  if (tools.length > GROUPED_ABOVE) return [...RISKS].reverse().map((risk) => groupOf(risk, tools));
  return tools.map((tool) => ({
    name: agents.length > 1 ? `${tool.agent}/${tool.tool}` : tool.tool,
    line: tool.line,
    tool,
    lit: tool.lit,
  }));
}

/** The sums of a group; of its times the longest. It is drawn as the one that is least enforced. */
function groupOf(risk: Risk, all: readonly ToolView[]): Lane {
  const tools = all.filter((tool) => tool.risk === risk);
  const sum = (of: (tool: ToolView) => number) => tools.reduce((total, tool) => total + of(tool), 0);
  const times = tools.flatMap(({ p95Ms }) => p95Ms ?? []);
  const active = tools.filter(({ line }) => line !== 'idle').length;
  return {
    name: `${risk} risk: ${active} of ${tools.length} tools`,
    line: WORST.find((line) => tools.some((tool) => tool.line === line)) ?? 'idle',
    lit: tools.some(({ lit }) => lit),
    tool: {
      agent: '',
      tool: risk,
      kind: 'write',
      risk,
      owner: '',
      line: 'enforced',
      events: sum(({ events }) => events),
      perMinute: sum(({ perMinute }) => perMinute),
      p95Ms: times.length > 0 ? Math.max(...times) : null,
      errors: sum(({ errors }) => errors ?? 0),
      errorShare: null,
      lastSeen: null,
      denied: sum(({ denied }) => denied),
      waited: sum(({ waited }) => waited),
      begun: sum(({ begun }) => begun),
      executed: sum(({ executed }) => executed),
      corrected: sum(({ corrected }) => corrected),
      outside: '',
      lit: false,
    },
  };
}
