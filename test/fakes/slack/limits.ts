import { charCount, isJson, type Json } from './json.ts';

/** Slack's limits, in characters or items, from @slack/types 3.2.0 and the sources in research/approvals.md. */
export const LIMITS = {
  messageBlocks: 50,
  viewBlocks: 100,
  messageText: 40_000,
  updateText: 4000,
  sectionText: 3000,
  sectionFields: 10,
  fieldText: 2000,
  headerText: 150,
  contextElements: 10,
  actionsElements: 25,
  buttonText: 75,
  buttonValue: 2000,
  url: 3000,
  accessibilityLabel: 75,
  optionText: 75,
  optionValue: 75,
  options: 100,
  checkOptions: 10,
  overflowOptions: 5,
  id: 255,
  placeholder: 150,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  modalTitle: 24,
  privateMetadata: 3000,
  inputText: 3000,
  inputLabel: 2000,
  markdownTotal: 12_000,
  imageText: 2000,
  tableRows: 100,
  tableColumns: 20,
  tableChars: 10_000,
  containerBlocks: 10,
  containerTitle: 150,
  viewBytes: 250_000,
  viewStack: 3,
} as const;

/** The surface that blocks are shown on. */
export type Surface = 'message' | 'modal' | 'home';

/** Collects what is wrong, in the words and with the json-pointers that Slack uses. */
export class Problems {
  readonly list: string[] = [];
  markdownChars = 0;
  tableCount = 0;
  readonly blockIds = new Set<string>();

  constructor(readonly surface: Surface) {}

  /** Records one problem. */
  add(what: string, pointer: string): void {
    this.list.push(`${what} [json-pointer:${pointer}]`);
  }
}

type TextRule = { max: number; types?: readonly string[]; optional?: boolean };

const TEXT_PROPERTIES: Record<string, readonly string[]> = {
  plain_text: ['type', 'text', 'emoji'],
  mrkdwn: ['type', 'text', 'verbatim'],
};

/** Checks a string: `min` (1 unless told) to `max` characters. */
export function checkString(problems: Problems, value: unknown, pointer: string, max: number, min = 1): void {
  if (typeof value !== 'string') {
    problems.add('must be a string', pointer);
    return;
  }
  const length = charCount(value);
  if (length > max) problems.add(`must be less than ${max + 1} characters`, pointer);
  if (length < min) problems.add(`must be more than ${min - 1} characters`, pointer);
}

/** Checks a string that may be absent. */
export function checkOptional(
  problems: Problems,
  value: unknown,
  pointer: string,
  max: number,
  min = 1,
): void {
  if (value !== undefined) checkString(problems, value, pointer, max, min);
}

/** Checks a text object; `plain_text` only, unless the rule allows more. */
export function checkText(problems: Problems, value: unknown, pointer: string, rule: TextRule): void {
  if (value === undefined) {
    if (!rule.optional) problems.add(`missing required field: ${lastPart(pointer)}`, parentOf(pointer));
    return;
  }
  if (!isJson(value)) {
    problems.add('must be an object', pointer);
    return;
  }
  const type = String(value.type);
  if (!(rule.types ?? ['plain_text']).includes(type)) {
    problems.add(`unsupported type: ${type}`, `${pointer}/type`);
    return;
  }
  checkProperties(problems, value, pointer, TEXT_PROPERTIES[type] ?? []);
  if (value.text === undefined) problems.add('missing required field: text', pointer);
  else checkString(problems, value.text, `${pointer}/text`, rule.max);
}

/** Both kinds of text object. */
export const ANY_TEXT = ['plain_text', 'mrkdwn'] as const;

/** Checks that a list has `min` to `max` items and returns it; an empty list when it is none. */
export function checkItems(
  problems: Problems,
  value: unknown,
  pointer: string,
  max: number,
  min = 1,
): unknown[] {
  if (value === undefined) {
    problems.add(`missing required field: ${lastPart(pointer)}`, parentOf(pointer));
    return [];
  }
  if (!Array.isArray(value)) {
    problems.add('must be an array', pointer);
    return [];
  }
  if (value.length > max) problems.add(`no more than ${max} items allowed`, pointer);
  if (value.length < min) problems.add(`no fewer than ${min} items allowed`, pointer);
  return value;
}

/** Slack refuses properties it does not know. */
export function checkProperties(
  problems: Problems,
  value: Json,
  pointer: string,
  known: readonly string[],
): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) problems.add(`invalid additional property: ${key}`, pointer);
  }
}

/** Checks one of a few words that may be absent. */
export function checkOneOf(
  problems: Problems,
  value: unknown,
  pointer: string,
  words: readonly string[],
): void {
  if (value !== undefined && !words.includes(String(value))) {
    problems.add(`must be a valid enum value`, pointer);
  }
}

/** Checks a link: http(s), and not too long. */
export function checkUrl(problems: Problems, value: unknown, pointer: string): void {
  checkString(problems, value, pointer, LIMITS.url);
  if (typeof value === 'string' && !/^https?:\/\/\S+$/.test(value)) problems.add('invalid url', pointer);
}

function lastPart(pointer: string): string {
  return pointer.slice(pointer.lastIndexOf('/') + 1);
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf('/'));
}
