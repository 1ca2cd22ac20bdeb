import type { Role } from '../../../src/actor.ts';
import type { Row } from './role-matrix.ts';

const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];
/** The door only: who of them owns the agent, or is an owner's deputy, the verb says. */
const OWNERS: readonly Role[] = ['approver', 'release-manager'];
const STOPS: readonly Role[] = ['approver', 'release-manager', 'on-call'];

const reason = 'because';

/** Incidents, what people will do about them, and a few that everybody reads. */
export const LEARNING_ROWS: Readonly<Record<string, Row>> = {
  getPosture: { line: 'GET /v1/posture', may: READERS },
  listSwitches: { line: 'GET /v1/switches', may: READERS },
  listIncidents: { line: 'GET /v1/incidents', may: READERS },
  getIncident: { line: 'GET /v1/incidents/{id}', may: READERS, about: 'incident' },
  listMechanisms: { line: 'GET /v1/incidents/mechanisms', may: READERS },
  openIncident: {
    line: 'POST /v1/incidents',
    may: STOPS,
    body: { agent: 'desk', title: 'It went wrong', reason },
  },
  classifyIncident: {
    line: 'POST /v1/incidents/{id}/classify',
    may: OWNERS,
    body: { revision: 1, mechanism: 'wrong_call', certainty: 'known' },
    about: 'incident',
  },
  mergeIncident: {
    line: 'POST /v1/incidents/{id}/merge',
    may: OWNERS,
    body: { into: 'inc-none', reason },
    about: 'incident',
  },
  unmergeIncident: {
    line: 'POST /v1/incidents/{id}/unmerge',
    may: OWNERS,
    body: { reason },
    about: 'incident',
  },
  closeIncident: {
    line: 'POST /v1/incidents/{id}/close',
    may: OWNERS,
    body: { revision: 1, reason },
    about: 'incident',
  },
  listFollowUps: { line: 'GET /v1/follow-ups', may: READERS },
  proposeFollowUp: {
    line: 'POST /v1/follow-ups',
    may: STOPS,
    body: { agent: 'desk', sentence: 'Add a limit', done: 'guardrail wrong exists' },
  },
  ...Object.fromEntries(
    (
      [
        ['commit', OWNERS, { owner: 'olga', dueAt: '2100-01-01T00:00:00Z' }],
        ['claim', STOPS, { link: 'https://example.com/1' }],
        ['verify', OWNERS, {}],
        ['drop', OWNERS, { reason }],
        ['waive', OWNERS, { reason, until: '2026-01-02T00:00:00Z' }],
      ] as const
    ).map(([verb, may, body]) => [
      `${verb}FollowUp`,
      { line: `POST /v1/follow-ups/{id}/${verb}` as const, may, body, about: 'followUp' as const },
    ]),
  ),
};
