import type { IncidentFact } from './facts.ts';
import { failedStage } from './mechanisms.ts';
import type { StageId } from './stages.ts';

export interface Lit {
  lit: ReadonlySet<StageId>;
  tools: ReadonlySet<string>;
  failed: StageId | undefined;
}

const ENTERED: readonly StageId[] = ['surfaces', 'agents', 'versions', 'segments'];
const DECIDED: readonly StageId[] = ['release', 'arm', 'rule'];
const BEGUN: readonly StageId[] = ['begin', 'credential', 'gateway'];
const JUDGED: readonly StageId[] = ['outcomes', 'guardrails', 'judge'];

/** The way that the actions of an incident took; where none is known, that of its segment, rollout and metric. */
export function litStages(incident: IncidentFact | undefined): Lit {
  if (!incident) return { lit: new Set(), tools: new Set(), failed: undefined };
  const { actions, metric, rollout, segment, tool } = incident;
  const failed = failedStage(incident.mechanism);
  const lit = new Set<StageId>([
    ...(actions.length > 0 ? ENTERED : (['agents'] as const)),
    ...(actions.length > 0 ? DECIDED : []),
    ...(segment === null ? [] : (['segments'] as const)),
    ...(rollout ? (['release', 'arm'] as const) : []),
    ...(actions.some(({ asked }) => asked) ? (['approvers'] as const) : []),
    ...(actions.some(({ begun }) => begun) ? BEGUN : []),
    ...(metric === null ? [] : JUDGED),
    ...(failed === undefined ? [] : [failed]),
  ]);
  const tools = new Set([...actions.map((action) => action.tool), ...(tool === null ? [] : [tool])]);
  return { lit, tools, failed };
}
