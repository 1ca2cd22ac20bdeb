import type { WireHold, WireKept, WireRetention } from '../wire.ts';
import { formatBytes, formatDuration, formatRelative, formatTime } from './format.ts';
import { bullets, command, fields, paragraph, quoted, sections, table } from './render.ts';

/** What is kept, how much it is, what goes next, and what keeps it from going. */
export function retentionText({ kinds, holds, sealed }: WireRetention, now: Date, width: number): string {
  const rows = kinds.map((one) => [
    one.kept,
    formatDuration(one.keepMs),
    formatBytes(one.bytes),
    one.oldest === undefined ? '-' : formatTime(one.oldest).slice(0, 10),
    nextOf(one, holds, now),
  ]);
  return sections(
    table(['what', 'kept', 'size', 'oldest', 'next drop'], rows, width),
    bullets(
      kinds.map(({ kept, variable, reason }) => `${kept} (${variable}): ${reason}`),
      width,
    ),
    paragraph(
      'What is open, what an incident or a standing approval rests on and what belongs to an open rollout stays beyond that.',
      width,
    ),
    holdsText(holds, width),
    sealed
      ? fields(
          [
            ['Log', `begins after #${sealed.seq}; ${sealed.entries} entries before were sealed and dropped`],
            ['Sealed', formatTime(sealed.sealedAt)],
            ['Hash', sealed.hash],
          ],
          width,
        )
      : paragraph('The log begins with its first entry: nothing of it was dropped.', width),
  );
}

function nextOf({ kept, nextDrop }: WireKept, holds: readonly WireHold[], now: Date): string {
  if (nextDrop === undefined) return 'nothing yet';
  // Keys hold nothing that anybody would ask for later.
  if (holds.length > 0 && kept !== 'keys') return 'held';
  return new Date(nextDrop) <= now ? 'due' : formatRelative(nextDrop, now);
}

function holdsText(holds: readonly WireHold[], width: number): string {
  if (holds.length === 0)
    return `Nothing is held. To keep all of it, for an audit or a court:\n${command('portcullis retention hold --reason "..."')}`;
  const rows = holds.map(({ id, reason, heldBy, heldAt }) => [
    String(id),
    reason,
    `${formatTime(heldAt)} by ${heldBy}`,
  ]);
  return `Held: nothing is dropped but old keys\n${table(['hold', 'why', 'since'], rows, width)}`;
}

/** What was done about a hold. */
export function holdText({ id, reason }: WireHold, done: 'held' | 'released', width: number): string {
  if (done === 'released')
    return paragraph(
      `Hold ${id} (${reason}) is released: what is over goes within minutes, unless another holds it.`,
      width,
    );
  return sections(
    paragraph(`Hold ${id} is in force: nothing is dropped but old idempotency keys.`, width),
    `When it is over:\n${command(`portcullis retention release ${quoted(String(id))} --reason "..."`)}`,
  );
}
