import type { TriedCall } from '../../domain/decision/try-call.ts';
import { describeStages } from '../../domain/release.ts';
import { reasonsText } from './action-text.ts';
import { fields, paragraph, sections, table } from './render.ts';

const HOLDS = { true: 'holds', false: 'does not hold', error: 'FAILED' } as const;

/** What a call would be answered, and why, for people. */
export function triedText(tried: TriedCall, width: number): string {
  const { outcome, approval, summary = tried.tool, agent, release, segment, risk, grant, grants } = tried;
  const said = {
    allowed: `ALLOWED: ${summary}`,
    pending: `WOULD ASK ${approval ? describeStages(approval) : 'a person'}: ${summary}`,
    denied: `DENIED: ${summary}`,
  }[outcome];
  const rows = grants.map(({ name, says, condition }) => [name, says, HOLDS[condition]]);
  return sections(
    paragraph(said, width),
    fields(
      [
        ['Tool', `${tried.tool} of ${agent}`],
        ['Segment', segment],
        ['Release', release],
        ['Grant', grant],
        ['Risk', risk],
      ],
      width,
    ),
    reasonsText(tried, width),
    rows.length > 0
      ? `Grants of ${tried.tool}\n${table(['grant', 'says', 'condition'], rows, width)}`
      : undefined,
    paragraph('Switches, rollouts, limits, standing approvals and earned autonomy are not played.', width),
  );
}
