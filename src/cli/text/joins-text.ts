import type { WireApplied } from '../wire.ts';
import { formatNumber } from './format.ts';

type Joins = NonNullable<WireApplied['joins']>;

/** What follows from segments that join an open rollout, a line each. */
export function joinsText({ rollout, segments, defaultPercent, moreSteps, lastDay }: Joins): string[] {
  const names = segments.map(({ segment }) => segment).join(', ');
  const left =
    defaultPercent > 0
      ? `, and is served by the release in force again (default is exposed at ${defaultPercent} %)`
      : '';
  return [
    ...segments.map((one) => joiningText(one, rollout)),
    `whoever is in ${names} leaves default${left}; that all is well default must show anew, and what speaks against the release there stays`,
    ...(moreSteps > 0
      ? [
          `the plan gets ${moreSteps} more ${moreSteps === 1 ? 'step' : 'steps'} and ends on day ${formatNumber(lastDay)} at the earliest: the others wait for it at what they have`,
        ]
      : []),
  ];
}

function joiningText(
  { segment, release, first, triggers }: Joins['segments'][number],
  rollout: string,
): string {
  const joins = `segment ${segment} joins rollout ${rollout} at 0 %, on release ${release}`;
  if (!first) return `${joins}: its release plans nothing for it, so it stays there`;
  const takes = triggers.map(
    ({ metric, eValue, ofDefault }) =>
      `${metric} takes it back at an e-value of ${formatNumber(eValue)}${ofDefault === undefined ? '' : ` (default: ${formatNumber(ofDefault)})`}`,
  );
  return `${[`${joins}, until step ${first.step} exposes ${first.percent} % of it`, ...takes].join('; ')}`;
}
