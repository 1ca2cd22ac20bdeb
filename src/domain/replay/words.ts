import type { LeftOut, Refused } from './replay.ts';

export const LEFT_OUT_WORDS: Readonly<Record<LeftOut, string>> = {
  erased: 'their arguments or subject are erased',
  redacted: 'their arguments were redacted away before they were recorded',
  switched_off: 'a switch answered, not a release',
  unknown_tool: 'the tool is gone, or new',
  args_invalid: 'the schema of the tool changed: their arguments no longer fit',
  attribute_missing: 'attributes that are needed today were not recorded',
  no_release: 'no release was in force',
  denied_before: 'denied because people had denied the same before',
  not_in_step: 'the step of a rollout held them back',
};

/** "Of 412 writes that people refused in 90 days it would now allow 3 unasked: cancel in gold (0193…): …" */
export function refusedSentence({ writes, unasked, examples }: Refused, days: number): string {
  const span = days === 1 ? '1 day' : `${days} days`;
  if (writes === 0) return `In ${span} people refused no write that can be decided again.`;
  const refused = `Of ${writes} ${writes === 1 ? 'write' : 'writes'} that people refused in ${span}`;
  if (unasked === 0) return `${refused} it would now allow none unasked.`;
  const named = examples.map(({ id, segment, tool, shown }) => `${tool} in ${segment} (${id}): ${shown}`);
  const more = unasked > examples.length ? `; and ${unasked - examples.length} more` : '';
  return `${refused} it would now allow ${unasked} unasked: ${named.join('; ')}${more}.`;
}
