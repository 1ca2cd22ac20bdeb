/** How a prediction came out. */
export const SCORES = ['hit', 'miss', 'not_measurable'] as const;
export type Score = (typeof SCORES)[number];

/** With fewer events than this nothing is said of a prediction. */
export const PREDICTION_EVENTS_MIN = 20;

/**
 * A prediction against what was measured over the period: a hit is at least as far as was said, in the direction that was
 * said; where `from` equals `to`, no worse than `to`, where `lowerIsBetter` says which way is worse.
 */
export function scorePrediction(
  { from, to }: { from: number; to: number },
  { value, events }: { value: number | null; events: number },
  lowerIsBetter = true,
): Score {
  if (value === null || events < PREDICTION_EVENTS_MIN) return 'not_measurable';
  const falls = to === from ? lowerIsBetter : to < from;
  return (falls ? value <= to : value >= to) ? 'hit' : 'miss';
}

export interface Calibration {
  team: string;
  hit: number;
  miss: number;
  notMeasurable: number;
  open: number;
}

/** How often each team was right, by name; a team is an agent with its owner. */
export function calibrationOf(
  predictions: readonly { team: string; prediction: Score | 'open' }[],
): Calibration[] {
  const teams = [...new Set(predictions.map(({ team }) => team))].sort();
  return teams.map((team) => {
    const own = predictions.filter((one) => one.team === team);
    const count = (score: Score | 'open') => own.filter(({ prediction }) => prediction === score).length;
    return {
      team,
      hit: count('hit'),
      miss: count('miss'),
      notMeasurable: count('not_measurable'),
      open: count('open'),
    };
  });
}
