import type { Role } from '../../../src/actor.ts';
import { AGENT_YAML, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { CASE_ROWS } from './case-rows.ts';
import { LEARNING_ROWS } from './learning-rows.ts';
import { REVIEW_ROWS } from './review-rows.ts';

/** Of nothing. */
export const NO_ID = '00000000-0000-4000-8000-000000000000';

/** One request that reaches the rights of an operation, and who has them. */
export interface Row {
  line: `${'GET' | 'POST' | 'PUT' | 'DELETE'} ${string}`;
  may: readonly Role[] | 'anybody';
  body?: unknown;
  /** What the request is about, where tokens of one agent must not learn of another's. */
  about?:
    | 'action'
    | 'rollout'
    | 'incident'
    | 'followUp'
    | 'cycle'
    | 'standing'
    | 'deputy'
    | 'token'
    | 'entry'
    | 'agent';
}

const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];
const LOG: readonly Role[] = ['release-manager', 'on-call', 'auditor'];
const MANAGER: readonly Role[] = ['release-manager'];
/** The door only: who of them owns the agent, or is an owner's deputy, the verb says. */
const OWNERS: readonly Role[] = ['approver', 'release-manager'];
const STOPS: readonly Role[] = ['approver', 'release-manager', 'on-call'];
const STARTS: readonly Role[] = ['release-manager', 'on-call'];

const reason = 'because';
const slice = { agent: 'desk', release: '1', grant: 'cancel', tool: 'cancel', segment: 'default' };
const seen = { digest: 'f'.repeat(64), revision: 1 };
const steer = (verb: string, may: readonly Role[]): Row => ({
  line: `POST /v1/rollouts/{id}/${verb}`,
  may,
  body: { reason },
  about: 'rollout',
});

/**
 * Roles by operation: a route of the OpenAPI document without a row here fails the test. An operation whose rights
 * depend on what it is asked for has a row for each, named behind it.
 */
export const MATRIX: Readonly<Record<string, Row>> = {
  health: { line: 'GET /healthz', may: 'anybody' },
  live: { line: 'GET /livez', may: 'anybody' },
  ready: { line: 'GET /readyz', may: 'anybody' },
  metrics: { line: 'GET /metrics', may: 'anybody' },
  receiptKeys: { line: 'GET /.well-known/receipt-keys.json', may: 'anybody' },
  keys: { line: 'GET /.well-known/jwks.json', may: 'anybody' },
  openapi: { line: 'GET /openapi.json', may: 'anybody' },

  ask: {
    line: 'POST /v1/actions',
    may: ['agent'],
    body: { agent: 'desk', agentVersion: '1', tool: 'lookup', subject: 'guest', idempotencyKey: 'matrix' },
  },
  listActions: { line: 'GET /v1/actions', may: READERS },
  getAction: { line: 'GET /v1/actions/{id}', may: READERS, about: 'action' },
  begin: {
    line: 'POST /v1/actions/{id}/begin',
    may: ['agent'],
    body: { executionId: 'e' },
    about: 'action',
  },
  complete: {
    line: 'POST /v1/actions/{id}/complete',
    may: ['agent'],
    body: { executionId: 'e', ok: true },
    about: 'action',
  },
  withdraw: { line: 'POST /v1/actions/{id}/withdraw', may: ['agent'], body: {}, about: 'action' },
  decide: {
    line: 'POST /v1/actions/{id}/decisions',
    may: ['approver'],
    body: { verdict: 'deny' },
    about: 'action',
  },
  explainDenial: {
    line: 'POST /v1/actions/{id}/deny-reason',
    may: ['approver'],
    body: { reason },
    about: 'action',
  },
  edit: {
    line: 'POST /v1/actions/{id}/edits',
    may: ['approver'],
    body: { args: {}, ...seen },
    about: 'action',
  },
  correct: { line: 'POST /v1/actions/{id}/corrections', may: STOPS, body: { reason }, about: 'action' },
  review: {
    line: 'POST /v1/actions/{id}/review',
    may: ['approver', 'release-manager', 'on-call', 'auditor'],
    body: { justified: true, note: reason },
    about: 'action',
  },
  likeActions: { line: 'GET /v1/actions/{id}/like', may: READERS, about: 'action' },
  getReceipt: { line: 'GET /v1/actions/{id}/receipt', may: READERS, about: 'action' },

  approvalQueue: { line: 'GET /v1/approvals/queue', may: READERS },
  decideBatch: {
    line: 'POST /v1/approvals/batch',
    may: ['approver'],
    body: { verdict: 'deny', items: [{ id: NO_ID, ...seen }] },
  },
  listReviews: { line: 'GET /v1/approvals/reviews', may: READERS },
  approvalStats: {
    line: 'GET /v1/approvals/stats',
    may: ['approver', 'release-manager', 'on-call', 'auditor'],
  },
  listStandingApprovals: { line: 'GET /v1/standing-approvals', may: READERS },
  revokeStandingApproval: {
    line: 'POST /v1/standing-approvals/{id}/revoke',
    may: STOPS,
    body: { reason },
    about: 'standing',
  },
  listAutonomy: { line: 'GET /v1/autonomy', may: READERS },
  answerAutonomy: {
    line: 'POST /v1/autonomy/answers',
    may: MANAGER,
    body: { ...slice, agentVersion: '1', accept: false, reason },
  },
  takeAutonomyBack: {
    line: 'POST /v1/autonomy/take-back',
    may: STARTS,
    body: { ...slice, agentVersion: '1', reason },
  },
  listDeputies: { line: 'GET /v1/agents/{agent}/deputies', may: READERS, about: 'agent' },
  createDeputy: {
    line: 'POST /v1/agents/{agent}/deputies',
    may: ['approver', 'release-manager'],
    body: { from: 'ana', to: 'ben', endsAt: '2026-01-02T00:00:00Z', reason },
    about: 'agent',
  },
  revokeDeputy: {
    line: 'DELETE /v1/agents/desk/deputies/{id}',
    may: ['approver', 'release-manager'],
    about: 'deputy',
  },

  recordOutcomes: {
    line: 'POST /v1/outcomes',
    may: ['agent', 'release-manager'],
    body: { agent: 'desk', outcomes: [{ id: 'o', action: '{id}', metric: 'wrong', value: 0 }] },
    about: 'action',
  },

  recordMetrics: { line: 'POST /v1/otlp/v1/metrics', may: ['agent'], body: { resourceMetrics: [] } },

  listAgents: { line: 'GET /v1/agents', may: READERS },
  getAgent: { line: 'GET /v1/agents/{agent}', may: READERS, about: 'agent' },
  listGroups: { line: 'GET /v1/agents/{agent}/groups', may: READERS, about: 'agent' },
  applyRates: {
    line: 'PUT /v1/agents/{agent}/rates',
    may: MANAGER,
    body: {
      agent: 'desk',
      currency: 'EUR',
      owner: 'olga',
      rates: [{ metric: 'wrong', amount: 4, validFrom: '2026-01-01', reason }],
    },
    about: 'agent',
  },
  ...REVIEW_ROWS,
  getRates: { line: 'GET /v1/agents/{agent}/rates', may: READERS, about: 'agent' },
  applyAgent: { line: 'PUT /v1/agents/{agent}?dryRun=true', may: MANAGER, body: AGENT_YAML, about: 'agent' },
  createRelease: {
    line: 'POST /v1/agents/{agent}/releases',
    may: MANAGER,
    body: RELEASE_2_YAML,
    about: 'agent',
  },
  getRelease: { line: 'GET /v1/agents/{agent}/releases/1', may: READERS, about: 'agent' },
  adoptRelease: {
    line: 'POST /v1/agents/{agent}/releases/9/adopt',
    may: MANAGER,
    body: { reason },
    about: 'agent',
  },
  preflight: {
    line: 'POST /v1/preflights?agent={agent}',
    may: ['release-manager', 'auditor'],
    body: RELEASE_2_YAML,
    about: 'agent',
  },
  replay: {
    line: 'POST /v1/replays?agent={agent}',
    may: ['release-manager', 'auditor'],
    body: RELEASE_2_YAML,
    about: 'agent',
  },

  getBusiness: {
    line: 'GET /v1/agents/{agent}/business',
    may: ['approver', 'release-manager', 'on-call', 'auditor'],
    about: 'agent',
  },

  getSentCounts: {
    line: 'GET /v1/agents/{agent}/sent-counts?metric=m&release=2&segment=gold&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
    may: ['agent', 'release-manager', 'auditor'],
    about: 'agent',
  },
  getPastCounts: {
    line: 'GET /v1/agents/{agent}/past-counts',
    may: ['release-manager', 'auditor'],
    about: 'agent',
  },
  getTraffic: {
    line: 'GET /v1/agents/{agent}/traffic',
    may: ['release-manager', 'auditor'],
    about: 'agent',
  },
  reportRollout: { line: 'GET /v1/rollouts/{id}/report', may: READERS, about: 'rollout' },
  listRollouts: { line: 'GET /v1/rollouts', may: READERS },
  startRollout: {
    line: 'POST /v1/rollouts',
    may: MANAGER,
    body: { agent: '{agent}', release: '9', reason },
    about: 'agent',
  },
  getRollout: { line: 'GET /v1/rollouts/{id}', may: READERS, about: 'rollout' },
  'steerRollout pause': steer('pause', STARTS),
  'steerRollout resume': steer('resume', MANAGER),
  'steerRollout advance': steer('advance', OWNERS),
  'steerRollout approve-gate': steer('approve-gate', OWNERS),
  'steerRollout reject-gate': steer('reject-gate', OWNERS),
  'steerRollout rollback': steer('rollback', STARTS),
  'steerRollout reenter': steer('reenter', OWNERS),
  'steerRollout exclude': steer('exclude', OWNERS),
  'steerRollout ease': steer('ease', OWNERS),
  'steerRollout accept-arms': steer('accept-arms', OWNERS),

  'setSwitch disable': {
    line: 'PUT /v1/switches/tool/{agent}/none',
    may: STOPS,
    body: { disabled: true, reason },
    about: 'agent',
  },
  'setSwitch enable': {
    line: 'PUT /v1/switches/tool/{agent}/none',
    may: STARTS,
    body: { disabled: false, reason },
    about: 'agent',
  },
  ...LEARNING_ROWS,

  readLog: { line: 'GET /v1/log', may: LOG },
  getLogEntry: { line: 'GET /v1/log/entries/{id}', may: LOG, about: 'entry' },
  verifyLog: { line: 'GET /v1/log/verify', may: LOG },
  logCheckpoint: { line: 'GET /v1/log/checkpoint', may: LOG },
  // Without an action of its own it would be followed for ever.
  followEvents: { line: 'GET /v1/events?action={id}', may: READERS, about: 'action' },
  getSystem: { line: 'GET /v1/system', may: READERS },
  'getSystem incident': { line: 'GET /v1/system?incident={id}', may: READERS, about: 'incident' },

  eraseSubject: {
    line: 'POST /v1/agents/{agent}/erasures',
    may: ['admin'],
    body: { subject: 'nobody', reason },
    about: 'agent',
  },
  getErasure: { line: `GET /v1/agents/{agent}/erasures/${NO_ID}`, may: ['admin'], about: 'agent' },
  ...CASE_ROWS,
  retentionStatus: { line: 'GET /v1/retention', may: [...LOG, 'admin'] },
  holdRetention: { line: 'POST /v1/retention/holds', may: ['auditor', 'admin'], body: { reason } },
  releaseRetention: { line: 'POST /v1/retention/holds/999/release', may: ['admin'], body: { reason } },

  rotateKeys: { line: 'POST /v1/keys/rotate', may: ['admin'], body: { reason } },
  getInstallation: { line: 'GET /v1/installation', may: ['admin', 'auditor'] },
  changeInstallation: { line: 'PUT /v1/installation', may: ['admin'], body: { reason } },
  createToken: { line: 'POST /v1/tokens', may: ['admin'], body: { roles: ['auditor'] } },
  listTokens: { line: 'GET /v1/tokens', may: ['admin'] },
  'findIds action': { line: 'GET /v1/ids/action/{id}', may: READERS, about: 'action' },
  'findIds token': { line: 'GET /v1/ids/token/{id}', may: ['admin'], about: 'token' },
  revokeToken: { line: 'DELETE /v1/tokens/{id}', may: ['admin'], about: 'token' },
};
