import type { WirePreflight } from '../wire.ts';
import { formatTime } from './format.ts';
import { bullets, fields, paragraph, sections } from './render.ts';
import { replayText } from './replay-text.ts';

const UNNOTICED_MAX = 10;

/** What a start would say, and what it should be read with. */
export function preflightText(found: WirePreflight, width: number): string {
  const { agent, release, ready, blockers, suite, waivers, replay } = found;
  return sections(
    paragraph(
      ready ? `Release ${release} of ${agent} may start.` : `Release ${release} of ${agent} CANNOT start.`,
      width,
    ),
    blockers.length > 0
      ? bullets(
          blockers.map(({ code, message, hint }) => `${message}${hint === '' ? '' : `: ${hint}`} (${code})`),
          width,
        )
      : undefined,
    fields(
      [
        ['Cases', suiteText(suite)],
        ['Strength', strengthText(found)],
      ],
      width,
    ),
    unnoticedText(found, width),
    waivers.length > 0 ? `Waived\n${bullets(waivers.map(waiverText), width)}` : undefined,
    `Replay\n${replayText(replay, width)}`,
  );
}

const suiteText = ({ green, red, unevaluable, notApplicable }: WirePreflight['suite']): string =>
  `${green} green, ${red.length} red, ${unevaluable.length} unevaluable, ${notApplicable} not applicable`;

const strengthText = ({ strength }: WirePreflight): string =>
  strength === null
    ? 'not measured: no case, or too many to try while you wait (portcullis cases strength)'
    : `${strength.noticed} of ${strength.weakenings} weakenings would be noticed`;

function unnoticedText({ strength }: WirePreflight, width: number): string | undefined {
  if (strength === null || strength.unnoticed.length === 0) return undefined;
  const shown = strength.unnoticed.slice(0, UNNOTICED_MAX);
  const more = strength.unnoticed.length - shown.length;
  return `No case would notice\n${bullets(more > 0 ? [...shown, `and ${more} more`] : shown, width)}`;
}

/** "case twice-refunded until 2026-12-24, on the word of max: the desk looks at each" */
export const waiverText = (waiver: WirePreflight['waivers'][number]): string =>
  `case ${waiver.case} need not be green until ${formatTime(waiver.until)}, on the word of ${waiver.person}: ${waiver.reason}`;
