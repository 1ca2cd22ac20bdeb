import { setTimeout as sleep } from 'node:timers/promises';
import type { Trend } from '../../../src/domain/evidence/trend.ts';
import type { Cost } from '../../../src/domain/rates.ts';

/** An answer of the service that is not a success. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = code;
  }
}

/** The HTTP API as people's tools use it: one token, one person. */
export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
}

/** While the store does not answer nothing is recorded, and the service says so: a busy laptop gets there in the end. */
const TRIES_MAX = 20;
const PAUSE_MS = 500;

export function createApi(url: string, token: string): Api {
  const send = async <T>(method: string, path: string, body?: unknown, tried = 1): Promise<T> => {
    const isText = typeof body === 'string';
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': isText ? 'application/yaml' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { code?: string; detail?: string };
    if (response.ok) return answer;
    if (answer.code === 'store_down' && tried < TRIES_MAX) {
      await sleep(PAUSE_MS);
      return send(method, path, body, tried + 1);
    }
    throw new ApiProblem(
      response.status,
      answer.code ?? 'unknown',
      answer.detail ?? `${method} ${path}: ${response.status}`,
    );
  };
  return {
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
  };
}

/** The part of an action that the demo reads. */
export interface ActionRow {
  id: string;
  state: string;
  kind: 'read' | 'write';
  tool: string;
  summary: string;
  consequence?: string;
  risk?: string;
  reversibility?: string;
  undo?: string;
  args?: Record<string, unknown>;
  argsDigest: string;
  revision: number;
  links: string[];
  segment?: string;
  arm: 'control' | 'candidate';
  release?: string;
  generation?: number;
  phase?: string;
  decidedBy?: 'policy' | 'person';
  supersededBecause?: string;
  approval?: { group: string };
  reasons: { code: string; message: string }[];
  decisions: { person: string; verdict: string }[];
  askedAt: string;
  expiresAt?: string;
  execution?: { beganAt: string; error?: string };
}

const PAGE = 200;

/** Every write of the agent, oldest first. */
export async function allWrites(api: Api, agent: string): Promise<ActionRow[]> {
  const rows: ActionRow[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = `agent=${agent}&limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
    const page = await api.get<{ actions: ActionRow[]; nextCursor?: string }>(`/v1/actions?${query}`);
    rows.push(...page.actions.filter(({ kind }) => kind === 'write'));
    cursor = page.nextCursor;
    if (cursor === undefined) return rows.reverse();
  }
}

/** One entry of the log, opened. */
export interface LogEntry {
  seq: number;
  kind: string;
  ref?: string;
  data: Record<string, unknown>;
}

const LOG_PAGE = 1_000;

/** The entries of some kinds, in the log's order. */
export async function logEntries(api: Api, kinds: readonly string[]): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (const kind of kinds) {
    for (let after = 0; ; ) {
      const path = `/v1/log?kind=${kind}&after=${after}&limit=${LOG_PAGE}`;
      const page = (await api.get<{ entries: { seq: number; body: string }[] }>(path)).entries;
      for (const { seq, body } of page) entries.push({ ...(JSON.parse(body) as Omit<LogEntry, 'seq'>), seq });
      if (page.length < LOG_PAGE) break;
      after = page.at(-1)?.seq ?? after;
    }
  }
  return entries.sort((a, b) => a.seq - b.seq);
}

/** One guardrail's word on one segment. */
export interface Verdict {
  metric: string;
  segment: string;
  verdict: string;
  eValue: number;
  thresholdLogE: number | null;
  events: number;
  harms: number | null;
  /** Of a sum its mean. */
  estimate: number | null;
  limit: number;
  moreNeeded: number | null;
  /** Which of its processes reached their threshold, where it has several. */
  firedBy?: string[];
  /** Harms a day: what the time so far allows. */
  count?: Pick<Verdict, 'eValue' | 'thresholdLogE'> & { allowed: number };
}

/** The part of a rollout's status that the demo reads. */
export interface RolloutStatus {
  id: string;
  status: string;
  phase: string;
  step: number;
  steps: number;
  plan: string;
  day: number;
  waitsFor: { for: string; detail: string }[];
  segments: {
    segment: string;
    state: string;
    exposurePercent: number;
    release?: string;
    generation: number;
    verdicts: Verdict[];
  }[];
  pooled: Verdict[];
  /** Metrics that are judged together. */
  pairs: { segment: string; verdict: string; metrics: { metric: string; verdict: string }[] }[];
  baselineDigest?: string;
}

/** The part of a rollout's report that the demo reads. */
export interface RolloutReport {
  evidence: { segment: string; metric: string; trend: Trend | null; cost: Cost | null }[];
}

export interface Incident {
  id: string;
  segment?: string;
  metric?: string;
  title: string;
  state: string;
  mechanism?: string;
  revision: number;
  /** How many actions are in it. */
  writes: number;
  verifiedAt?: string;
  breachToRevokedMs?: number;
  evidence: { verdict?: Verdict | null };
}
