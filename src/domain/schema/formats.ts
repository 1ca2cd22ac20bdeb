import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { JsonType } from './keywords.ts';

/** A format that is enforced. */
export interface Format {
  about: JsonType;
  /** Longer text does not have the format: it also bounds what checking takes. */
  lengthMax: number;
  test(value: unknown): boolean;
}

const TEXT_LENGTH_MAX = 1_000;
const URI_LENGTH_MAX = 8_192;
const BYTES_LENGTH_MAX = 1_048_576;
/** RFC 5321: 64 before the @ and 255 after it. */
const EMAIL_LENGTH_MAX = 320;
const INT32_MAX = 2 ** 31 - 1;

const ofText = (name: keyof typeof fullFormats, lengthMax: number): Format => {
  const known: unknown = fullFormats[name];
  const given: unknown =
    typeof known === 'object' && known !== null && 'validate' in known ? known.validate : known;
  const test =
    given instanceof RegExp ? (text: string) => given.test(text) : (given as (text: string) => boolean);
  return { about: 'string', lengthMax, test: (value) => test(value as string) };
};

const ofNumber = (test: (value: number) => boolean): Format => ({
  about: 'number',
  lengthMax: 0,
  test: (value) => test(value as number),
});

const matching = (pattern: RegExp, lengthMax: number): Format => ({
  about: 'string',
  lengthMax,
  test: (value) => pattern.test(value as string),
});

/** Every format that a schema may name. `email` is the plain form: a quoted local part may hold separators. */
const FORMATS: Readonly<Record<string, Format>> = {
  date: ofText('date', TEXT_LENGTH_MAX),
  time: ofText('time', TEXT_LENGTH_MAX),
  'date-time': ofText('date-time', TEXT_LENGTH_MAX),
  duration: ofText('duration', TEXT_LENGTH_MAX),
  email: ofText('email', EMAIL_LENGTH_MAX),
  hostname: ofText('hostname', TEXT_LENGTH_MAX),
  ipv4: ofText('ipv4', TEXT_LENGTH_MAX),
  ipv6: ofText('ipv6', TEXT_LENGTH_MAX),
  uri: ofText('uri', URI_LENGTH_MAX),
  'uri-reference': ofText('uri-reference', URI_LENGTH_MAX),
  'uri-template': ofText('uri-template', URI_LENGTH_MAX),
  uuid: matching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, TEXT_LENGTH_MAX),
  'json-pointer': ofText('json-pointer', TEXT_LENGTH_MAX),
  'relative-json-pointer': ofText('relative-json-pointer', TEXT_LENGTH_MAX),
  regex: { about: 'string', lengthMax: TEXT_LENGTH_MAX, test: (value) => isRegex(value as string) },
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, BYTES_LENGTH_MAX),
  int32: ofNumber((value) => Number.isInteger(value) && value >= -INT32_MAX - 1 && value <= INT32_MAX),
  int64: ofNumber(Number.isInteger),
  float: ofNumber(Number.isFinite),
  double: ofNumber(Number.isFinite),
};

function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** What to write instead of a format that is known elsewhere and says nothing that could be checked here. */
const OTHER_FORMATS: Readonly<Record<string, string>> = {
  password: 'Leave it out; to hide the value list it under redact:',
  binary: 'Leave it out; for base64 write format: byte',
  'idn-email': 'Write a pattern, or format: email for plain addresses',
  'idn-hostname': 'Write a pattern, or format: hostname for plain names',
  iri: 'Write a pattern, or format: uri',
  'iri-reference': 'Write a pattern, or format: uri-reference',
  url: 'Write format: uri',
  datetime: 'Write format: date-time',
};

export const formatOf = (name: string): Format | undefined =>
  Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;

export const formatNames = (): string[] => Object.keys(FORMATS);

export const insteadOfFormat = (name: string): string | undefined =>
  Object.hasOwn(OTHER_FORMATS, name) ? OTHER_FORMATS[name] : undefined;
