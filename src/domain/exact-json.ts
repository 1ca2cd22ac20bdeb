/** A JSON value as `parseExactJson` gives it back. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** The text holds something JSON readers disagree about, so no two parties could agree what was approved. */
export interface InexactJson {
  ok: false;
  code: 'args_not_exact';
  /** Where, as `$.passengers[0].dob`. */
  path: string;
  message: string;
  hint: string;
}

/** What `parseExactJson` answers; it never throws. */
export type ExactJson = { ok: true; value: JsonValue } | InexactJson;

export const JSON_DEPTH_MAX = 64;
/** More values than anybody looks through, and all that is read without keeping others waiting. */
export const JSON_VALUES_MAX = 50_000;
/** An object of so many members is slow in everything that is done with it. */
export const JSON_MEMBERS_MAX = 10_000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WHOLE = /^-?\d+$/;
const EXACT_DIGITS = 15;
const LONE_SURROGATE = /\p{Surrogate}/u;
const NUMBER_LENGTH_MAX = 400;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Reads JSON that means the same to every reader: refuses duplicate keys, integers beyond 2^53-1, numbers that
 * do not survive a round trip, lone surrogates, nesting beyond `JSON_DEPTH_MAX` and more than `JSON_VALUES_MAX` values.
 * Linear in the text's length.
 */
export function parseExactJson(text: string): ExactJson {
  try {
    return { ok: true, value: new Reader(text).document() };
  } catch (error) {
    if (error instanceof Inexact) return error.answer;
    throw error;
  }
}

class Inexact extends Error {
  constructor(readonly answer: InexactJson) {
    super(answer.message);
  }
}

class Reader {
  #at = 0;
  #values = 0;
  readonly #path: (string | number)[] = [];

  constructor(readonly text: string) {}

  document(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.text.length) this.#unexpected();
    return value;
  }

  #refuse(message: string, hint: string): never {
    const path = `$${this.#path.map((key) => pathPart(key)).join('')}`;
    throw new Inexact({ ok: false, code: 'args_not_exact', path, message: `${message} at ${path}`, hint });
  }

  #unexpected(): never {
    const found =
      this.#at < this.text.length
        ? `a character at position ${this.#at} that JSON does not allow`
        : 'the end';
    this.#refuse(`Cannot read the JSON: found ${found}`, 'Send valid JSON (RFC 8259)');
  }

  #space(): void {
    for (let code = this.text.charCodeAt(this.#at); ; code = this.text.charCodeAt(++this.#at))
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
  }

  #refuseTooMany(): never {
    this.#path.length = 0;
    this.#refuse(
      `More than ${JSON_VALUES_MAX} values, or ${JSON_MEMBERS_MAX} members in one object,`,
      'Send fewer, or a reference to where they are',
    );
  }

  #value(): JsonValue {
    if (++this.#values > JSON_VALUES_MAX) this.#refuseTooMany();
    this.#space();
    const first = this.text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    if (first === '"') return this.#string();
    if (first === 't') return this.#word('true', true);
    if (first === 'f') return this.#word('false', false);
    if (first === 'n') return this.#word('null', null);
    return this.#number();
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) this.#unexpected();
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    this.#at++;
    if (this.#path.length >= JSON_DEPTH_MAX) {
      this.#path.length = 8;
      this.#refuse(`Nested more than ${JSON_DEPTH_MAX} deep, inside`, 'Send flatter arguments');
    }
    this.#space();
  }

  #object(): JsonValue {
    this.#enter();
    const object: { [key: string]: JsonValue } = {};
    if (this.text[this.#at] === '}') return this.#close(object);
    let members = 0;
    do {
      this.#space();
      if (this.text[this.#at] !== '"') this.#unexpected();
      const key = this.#string();
      this.#path.push(key);
      if (++members > JSON_MEMBERS_MAX) this.#refuseTooMany();
      if (Object.hasOwn(object, key)) this.#refuse('Duplicate key', 'Send each key once');
      if (key === '__proto__') this.#refuse('Key "__proto__" is refused', 'Rename the key');
      this.#space();
      if (this.text[this.#at++] !== ':') this.#unexpected();
      object[key] = this.#value();
      this.#path.pop();
    } while (this.#more('}'));
    return object;
  }

  #array(): JsonValue {
    this.#enter();
    const items: JsonValue[] = [];
    if (this.text[this.#at] === ']') return this.#close(items);
    do {
      this.#path.push(items.length);
      items.push(this.#value());
      this.#path.pop();
    } while (this.#more(']'));
    return items;
  }

  #close<T extends JsonValue>(value: T): T {
    this.#at++;
    return value;
  }

  #more(end: string): boolean {
    this.#space();
    const next = this.text[this.#at];
    if (next !== ',' && next !== end) this.#unexpected();
    this.#at++;
    return next === ',';
  }

  #string(): string {
    this.#at++;
    let value = this.#plainText();
    for (; this.text[this.#at] !== '"'; value += this.#plainText()) {
      if (this.text[this.#at] !== '\\') this.#unexpected();
      value += this.#escape();
    }
    this.#at++;
    if (LONE_SURROGATE.test(value))
      this.#refuse('Half a character (a lone surrogate) in text', 'Send well-formed Unicode');
    return value;
  }

  #plainText(): string {
    const { text } = this;
    const start = this.#at;
    let at = start;
    for (let code = text.charCodeAt(at); code >= 0x20 && code !== 0x22 && code !== 0x5c; )
      code = text.charCodeAt(++at);
    this.#at = at;
    return text.slice(start, at);
  }

  #escape(): string {
    const kind = this.text[this.#at + 1] ?? '';
    if (kind !== 'u') {
      const plain = ESCAPES[kind];
      if (plain === undefined) this.#unexpected();
      this.#at += 2;
      return plain;
    }
    const digits = this.text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#unexpected();
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const token = NUMBER.exec(this.text)?.[0];
    if (token === undefined) this.#unexpected();
    // Whole numbers of up to 15 digits are what they say.
    if (token.length <= EXACT_DIGITS && WHOLE.test(token)) {
      this.#at += token.length;
      return Number(token) + 0;
    }
    const value = Number(token);
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      this.#refuse('An integer beyond 2^53-1', "Send it as text, in quotes, and say so in the tool's schema");
    if (
      token.length > NUMBER_LENGTH_MAX ||
      !Number.isFinite(value) ||
      decimal(token) !== decimal(String(value))
    )
      this.#refuse(
        'A number that changes when read',
        'Send at most 15 significant digits, or text in quotes',
      );
    this.#at += token.length;
    return value === 0 ? 0 : value;
  }
}

function pathPart(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_$][\w$]{0,63}$/.test(key) ? `.${key}` : `[${JSON.stringify(key.slice(0, 64))}]`;
}

/** One spelling for each decimal value: `0.10` and `1e-1` are both `1e-1`. */
function decimal(token: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token);
  if (!match) return token;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = trimZeros(`${whole}${fraction}`);
  if (digits.text === '') return '0';
  return `${sign}${digits.text}e${Number(exponent) - fraction.length + digits.dropped}`;
}

function trimZeros(digits: string): { text: string; dropped: number } {
  let start = 0;
  let end = digits.length;
  while (start < end && digits[start] === '0') start++;
  while (end > start && digits[end - 1] === '0') end--;
  return { text: digits.slice(start, end), dropped: digits.length - end };
}
