import type { ControlFacts, ControlJudged } from './control.ts';
import type { DifferenceFacts, DifferenceJudged } from './difference.ts';

/** What a judgement says of the release in force at the same time. */
export interface Beside {
  control?: ControlFacts & ControlJudged;
  difference?: DifferenceFacts & DifferenceJudged;
}

/** The same in words, each figure as the surface writes it; `undefined`: it was not compared. */
export function besideText(
  { control, difference }: Beside,
  figure: (value: number) => string,
): string | undefined {
  if (control) return controlText(control, figure);
  if (difference) return differenceText(difference, figure);
  return undefined;
}

function controlText(
  { treatedHarms, controlHarms, strata, ratio, anew, ...fired }: ControlFacts & ControlJudged,
  figure: (value: number) => string,
): string {
  const exposed = strata.map(({ exposure }) => `${exposure / 100} %`).join(', ') || 'no part';
  return `${treatedHarms} harmful subjects beside ${controlHarms} of the release in force (${exposed} exposed; ${figure(ratio)} times its share is let pass${anewText(anew)}): ${firedText(fired, figure)}`;
}

function differenceText(
  {
    treated,
    control,
    treatedMean,
    controlMean,
    more,
    over,
    anew,
    ...fired
  }: DifferenceFacts & DifferenceJudged,
  figure: (value: number) => string,
): string {
  const mean = (value: number | null) => (value === null ? 'nothing' : figure(value));
  const said = over === 0 ? firedText(fired, figure) : `${over} were above the cap, so it says nothing`;
  return `${mean(treatedMean)} in the mean of ${treated.known} of ${treated.subjects} subjects beside ${mean(controlMean)} of ${control.known} of ${control.subjects} of the release in force (${figure(more)} more is let pass${anewText(anew)}): ${said}`;
}

const anewText = (anew: number | undefined): string =>
  anew === undefined ? '' : '; begun anew when its arms were settled';

const firedText = (
  { eValue, thresholdLogE }: { eValue: number; thresholdLogE: number | null },
  figure: (value: number) => string,
): string =>
  `e-value ${figure(eValue)}${thresholdLogE === null ? '' : ` of ${figure(Math.exp(thresholdLogE))}`}`;
