import type { Role } from '../../../src/actor.ts';
import type { Row } from './role-matrix.ts';

const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];
/** The door only: who of them owns the agent, or is an owner's deputy, the verb says. */
const OWNERS: readonly Role[] = ['approver', 'release-manager'];
const STOPS: readonly Role[] = ['approver', 'release-manager', 'on-call'];

const reason = 'because';

/** Incidents and what people will do about them. */
export const LEARNING_ROWS: Readonly<Record<string, Row>> = {
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
};
