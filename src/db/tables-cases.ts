import type { Generated } from 'kysely';
import type { RegressionCase } from '../domain/cases/case.ts';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

export type CaseState = 'proposed' | 'admitted' | 'retired' | 'unreproduced';
export type CaseBecause = 'file' | 'incident' | 'denied' | 'edited' | 'corrected';

/** What a first person asked for, and a second one has to agree to. */
export interface CaseAsked {
  verb: 'retire' | 'expect' | 'set aside';
  by: string;
  at: string;
  reason: string;
  expect?: RegressionCase['expect'];
}

/** A case as it is kept; what is expected is missing until a person has written it. */
export type CaseBody = Omit<RegressionCase, 'expect'> & { expect?: RegressionCase['expect'] };

export interface RegressionCaseTable {
  agent: string;
  name: string;
  kind: string;
  digest: string | null;
  body: Json<CaseBody>;
  state: CaseState;
  because: CaseBecause;
  from_incident: string | null;
  from_action: string | null;
  covers: Generated<number>;
  owner: string | null;
  review_by: Timestamp | null;
  proposed_at: Timestamp;
  proposed_by: string;
  expected_by: string | null;
  red_on: string | null;
  green_on: string | null;
  red_digest: string | null;
  green_digest: string | null;
  admitted_at: Timestamp | null;
  admitted_by: string | null;
  schemas_digest: string | null;
  stale_since: Timestamp | null;
  asked: JsonOrNull<CaseAsked>;
  retired_at: Timestamp | null;
  retired_by: string | null;
  retire_reason: string | null;
  revision: Generated<number>;
}

export interface RegressionCaseChangeTable {
  agent: string;
  name: string;
  revision: number;
  at: Timestamp;
  by: string;
  verb: string;
  reason: string | null;
  digest: string | null;
  data: Json<Record<string, unknown>>;
}

/** What must not happen again. */
export interface CaseTables {
  regression_case: RegressionCaseTable;
  regression_case_change: RegressionCaseChangeTable;
}
