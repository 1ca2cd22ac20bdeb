import { dateText, inline } from '../cards/blocks/mrkdwn.ts';
import type { LaterStop } from '../switches/list.ts';

const SHOWN_MAX = 3;
const REASON_MAX = 200;

/** Who stopped it again, for the end of the line about the first stop. */
export function laterText(later: readonly LaterStop[]): string {
  const shown = later
    .slice(-SHOWN_MAX)
    .map(
      ({ actor, at, reason }) =>
        `\n    again ${dateText(at)} by ${inline(actor, 80)}: ${inline(reason, REASON_MAX)}`,
    );
  const more = later.length - shown.length;
  return `${more > 0 ? `\n    and ${more} times before` : ''}${shown.join('')}`;
}
