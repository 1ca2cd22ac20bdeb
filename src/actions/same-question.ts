import type { Keys } from '../credentials/keys.ts';
import { canonical, canonicalList } from '../domain/digest.ts';
import { AppError } from '../errors.ts';

/** What makes a question the same one under its idempotency key: nothing else of it may differ. */
const PARTS = ['tool', 'args', 'subject', 'context'] as const;
type Part = (typeof PARTS)[number];

const DIGEST_CHARS = 32;

/**
 * A digest of each part, which is in RFC 8785 form, so that it can be said which differs. Keyed: values cannot be
 * guessed from it.
 */
export const questionDigest = (keys: Pick<Keys, 'hmac'>, question: Readonly<Record<Part, string>>): string =>
  PARTS.map((part) =>
    keys.hmac(canonicalList([canonical(part), question[part]])).slice(0, DIGEST_CHARS),
  ).join('.');

/** The refusal of a question whose key stands for another one. */
export function otherQuestion(key: string, action: string, first: string, now: string): AppError {
  const known = first.split('.');
  const asked = now.split('.');
  const differs = known.length === PARTS.length ? PARTS.filter((_, at) => known[at] !== asked[at]) : [];
  const what =
    differs.length > 0
      ? `it was asked first with another ${differs.join(', ')}`
      : 'what it was asked with first is not kept any more, so that it cannot be compared';
  return new AppError('idempotency_conflict', `Cannot ask under key "${key}": ${what} (action ${action})`, {
    action,
    differs,
  });
}
