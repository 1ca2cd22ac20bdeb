import type { StageId } from './stages.ts';

/** The mechanisms of incidents, in their order: the first control that should have stopped it and did not. */
export const FAILED_STAGE = {
  around_gate: 'gateway',
  unapproved: 'begin',
  late_stop: 'switch',
  excess_credential: 'credential',
  wrong_bucket: 'segments',
  tool_drift: 'gateway',
  rule_defect: 'rule',
  runaway: 'rule',
  blind_evidence: 'judge',
  misled_approval: 'approvers',
  steered_agent: 'surfaces',
  over_grant: 'release',
  wrong_call: 'agents',
  over_block: 'rule',
} as const satisfies Readonly<Record<string, StageId>>;

export type Mechanism = keyof typeof FAILED_STAGE;

/** The link that failed; `undefined`: the incident is not classified, or by a word that is not of the list. */
export const failedStage = (mechanism: string | null | undefined): StageId | undefined =>
  mechanism != null && Object.hasOwn(FAILED_STAGE, mechanism)
    ? FAILED_STAGE[mechanism as Mechanism]
    : undefined;
