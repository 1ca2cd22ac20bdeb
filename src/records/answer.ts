import type { DecisionTable } from '../db/tables-action.ts';

export type GivenAnswer = Pick<
  DecisionTable,
  'person' | 'for_person' | 'verdict' | 'via' | 'reason' | 'stage' | 'slot' | 'grp'
> & { at: Date; options: { slot: string; group: string }[] };
