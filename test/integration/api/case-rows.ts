import type { Role } from '../../../src/actor.ts';

const CASE_READERS: readonly Role[] = ['approver', 'release-manager', 'on-call', 'auditor'];
const MANAGER: readonly Role[] = ['release-manager'];
const reason = 'because';

/** What may be done about regression cases. */
export const CASE_ROWS = {
  listCases: { line: 'GET /v1/agents/{agent}/cases', may: CASE_READERS, about: 'agent' },
  getCase: { line: 'GET /v1/agents/{agent}/cases/none', may: CASE_READERS, about: 'agent' },
  runCases: {
    line: 'POST /v1/agents/{agent}/cases/run',
    may: CASE_READERS,
    body: { release: '1' },
    about: 'agent',
  },
  proposeCase: {
    line: 'POST /v1/agents/{agent}/cases',
    may: MANAGER,
    body: {
      case: 'matrix',
      agent: 'desk',
      kind: 'ask',
      says: 'nothing',
      given: { tool: 'cancel' },
      expect: { atMost: 'ask' },
    },
    about: 'agent',
  },
  draftCase: {
    line: 'POST /v1/agents/{agent}/cases/draft',
    may: MANAGER,
    body: { case: 'matrix', incident: 'inc-none', expect: { atMost: 'ask' } },
    about: 'agent',
  },
  admitCase: {
    line: 'POST /v1/agents/{agent}/cases/none/admit',
    may: MANAGER,
    body: { redOn: '1', greenOn: '2' },
    about: 'agent',
  },
  expectOtherwise: {
    line: 'POST /v1/agents/{agent}/cases/none/expect',
    may: MANAGER,
    body: { expect: { atMost: 'ask' }, reason },
    about: 'agent',
  },
  setCaseAside: {
    line: 'POST /v1/agents/{agent}/cases/none/unreproduced',
    may: MANAGER,
    body: { reason },
    about: 'agent',
  },
  retireCase: {
    line: 'POST /v1/agents/{agent}/cases/none/retire',
    may: MANAGER,
    body: { reason },
    about: 'agent',
  },
} as const;
