/** A JSON object as it came over the wire: nothing about its fields is known. */
export type Json = Record<string, unknown>;

/** What Slack answers instead of doing what it was asked; `messages` is its `response_metadata.messages`. */
export class SlackRefusal extends Error {
  constructor(
    readonly code: string,
    readonly messages: readonly string[] = [],
  ) {
    super(messages.length === 0 ? code : `${code}: ${messages.join('; ')}`);
  }
}

/** True for a JSON object, false for arrays and null. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of an array; anything else is an empty list. */
export function jsonList(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** The value if it is a string, else the empty string. */
export function str(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Length as people count characters, not UTF-16 units. */
export function charCount(text: string): number {
  return [...text].length;
}
