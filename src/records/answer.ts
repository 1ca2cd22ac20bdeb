import type { DecisionTable } from '../db/tables-action.ts';

export type CardDecision = Pick<
  DecisionTable,
  'person' | 'for_person' | 'verdict' | 'via' | 'reason' | 'stage' | 'slot' | 'grp'
> & { at: Date; options: { slot: string; group: string }[] };
