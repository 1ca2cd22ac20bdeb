import type { Risk } from '../agent.ts';

/** What was asked in the window and how far it had come, of one name of one kind. Times are of the last such event. */
export interface Flow {
  /** `all`: of one agent, whatever it is. */
  by: 'all' | 'asker' | 'version' | 'tool' | 'segment' | 'release' | 'arm' | 'rule';
  /** Of an asker: none. */
  agent: string | null;
  name: string | null;
  asked: number;
  denied: number;
  deniedByPolicy: number;
  /** People were asked. */
  waited: number;
  expired: number;
  /** Decided, and void before they began. */
  lost: number;
  stopped: number;
  superseded: number;
  /** Writes only, from here on. */
  begun: number;
  credentialed: number;
  executed: number;
  failed: number;
  unknown: number;
  corrected: number;
  measured: number;
  /** Milliseconds, 95 of 100 were at most so long. */
  answerMs: number | null;
  beginMs: number | null;
  runMs: number | null;
  outcomeMs: number | null;
  askedAt: string | null;
  waitedAt: string | null;
  begunAt: string | null;
  credentialAt: string | null;
  completedAt: string | null;
  outcomeAt: string | null;
  endedAt: string | null;
}

export interface AgentFacts {
  agent: string;
  owners: readonly string[];
  onCall: readonly string[];
  deployers: readonly string[];
  groups: readonly string[];
  segments: readonly string[];
  tools: readonly { name: string; write: boolean; risk: Risk; advisory: boolean }[];
  /** The manifest is of a later time than the moment that is shown. */
  changedSince: boolean;
  /** Per segment; what came into force after the moment that is shown is left out. */
  inForce: readonly { segment: string; release: string }[];
}

export interface VerdictFact {
  agent: string;
  segment: string;
  metric: string;
  verdict: string;
  business?: string;
  at: string;
}

/** An incident as the view needs it. */
export interface IncidentFact {
  id: string;
  agent: string;
  title: string;
  openedAt: string;
  mechanism: string | null;
  segment: string | null;
  tool: string | null;
  metric: string | null;
  rollout: boolean;
  /** What it is about, as far as it is still recorded. */
  actions: readonly {
    tool: string;
    asked: boolean;
    begun: boolean;
  }[];
}

/** Everything a view is drawn from: records, and nothing else. */
export interface SystemFacts {
  /** The moment that is shown. */
  asOf: string;
  /** From when on questions are in it; later than asked for where there were too many. */
  from: string;
  shortened: boolean;
  agents: readonly AgentFacts[];
  flows: readonly Flow[];
  /** People's answers in the window, by the surface they came from. */
  answers: readonly { via: string; answers: number; at: string }[];
  verdicts: readonly VerdictFact[];
  /** What is switched off at that moment. */
  off: readonly { scope: string; since: string; reason: string }[];
  /** The last stop up to that moment raised it to this. */
  epoch: number;
  /** Incidents that say that writes were seen upstream without a begin. */
  outside: readonly { agent: string; tool: string | null; incident: string; writes: number }[];
  incident?: IncidentFact;
}
