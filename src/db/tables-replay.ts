import type { Timestamp } from './columns.ts';

/** That an agent has no regression case yet: said once. */
export interface NoneYetTable {
  agent: string;
  release: string;
  person: string;
  reason: string;
  at: Timestamp;
}

/** That a case need not be green until then. */
export interface CaseWaiverTable {
  agent: string;
  case_name: string;
  until: Timestamp;
  person: string;
  reason: string;
  at: Timestamp;
  rollout_id: string;
}

/** The tables of what starts although something is not as it should be. */
export interface PreflightTables {
  none_yet: NoneYetTable;
  case_waiver: CaseWaiverTable;
}
