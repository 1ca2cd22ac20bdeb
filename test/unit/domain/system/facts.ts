import type { Flow, IncidentFact, SystemFacts } from '../../../../src/domain/system/facts.ts';

const AT = '2026-12-01T13:59:00.000Z';

export const flow = (more: Partial<Flow>): Flow => ({
  by: 'all',
  agent: null,
  name: null,
  asked: 0,
  denied: 0,
  deniedByPolicy: 0,
  waited: 0,
  expired: 0,
  lost: 0,
  stopped: 0,
  superseded: 0,
  begun: 0,
  credentialed: 0,
  executed: 0,
  failed: 0,
  unknown: 0,
  corrected: 0,
  measured: 0,
  answerMs: null,
  beginMs: null,
  runMs: null,
  outcomeMs: null,
  askedAt: AT,
  waitedAt: null,
  begunAt: null,
  credentialAt: null,
  completedAt: null,
  outcomeAt: null,
  endedAt: null,
  ...more,
});

const RISKS = ['low', 'medium', 'high'] as const;

/** An agent with so many tools, of which every third was used; the first is advisory. */
export function factsOf(tools: number, more: Partial<SystemFacts> = {}): SystemFacts {
  const names = Array.from({ length: tools }, (_, at) => `tool_${String(at).padStart(2, '0')}`);
  const used = names.filter((_, at) => at % 3 === 0);
  const counts = { asked: 10, denied: 1, begun: 8, credentialed: 8, executed: 7, failed: 1, runMs: 1_200 };
  const all = {
    ...counts,
    asked: used.length * 10,
    denied: used.length,
    begun: used.length * 8,
    executed: used.length * 7,
    failed: used.length,
  };
  return {
    asOf: '2026-12-01T14:03:00.000Z',
    from: '2026-12-01T13:03:00.000Z',
    shortened: false,
    agents: [
      {
        agent: 'desk',
        owners: ['olga'],
        onCall: ['cleo'],
        deployers: [],
        groups: ['desk'],
        segments: ['gold', 'default'],
        tools: names.map((name, at) => ({
          name,
          write: true,
          risk: RISKS[at % 3] ?? 'low',
          advisory: at === 0,
        })),
        changedSince: false,
        inForce: [{ segment: 'gold', release: '2' }],
      },
    ],
    flows: [
      flow({ ...all }),
      flow({ agent: 'desk', ...all }),
      flow({ by: 'segment', agent: 'desk', name: 'gold', ...all }),
      ...used.map((name) => flow({ by: 'tool', agent: 'desk', name, ...counts })),
    ],
    answers: [],
    verdicts: [
      {
        agent: 'desk',
        segment: 'gold',
        metric: 'wrong',
        verdict: 'breach',
        business: 'correction workload',
        at: AT,
      },
    ],
    off: [],
    epoch: 7,
    outside: [],
    ...more,
  };
}

export const incidentOf = (mechanism: string | null, more: Partial<IncidentFact> = {}): IncidentFact => ({
  id: 'inc-12',
  agent: 'desk',
  title: 'wrong in gold',
  openedAt: '2026-12-01T14:03:00.000Z',
  mechanism,
  segment: 'gold',
  tool: 'tool_01',
  metric: 'wrong',
  rollout: true,
  actions: [{ tool: 'tool_00', asked: true, begun: true }],
  ...more,
});
