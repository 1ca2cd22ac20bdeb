/** Why a standing approval is over. */
export const STANDING_ENDED_BECAUSE = [
  'revoked',
  'spent',
  'expired',
  'switch',
  'incident',
  'rolled_back',
  'phase_change',
  'new_release',
] as const;
export type StandingEndedBecause = (typeof STANDING_ENDED_BECAUSE)[number];
