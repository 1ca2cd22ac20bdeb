import { RE2JS } from 're2js';
import type { Meter } from './meter.ts';

/** A pattern of a schema, ready to be looked for in text. */
export interface Pattern {
  source: string;
  /** Takes time that is linear in the text's length, and counts it. */
  test(text: string, meter: Meter): boolean;
}

const PATTERN_LENGTH_MAX = 2_000;
/** Compiling takes as long as a pattern is large once its counts are written out. */
const PROGRAM_SIZE_MAX = 2_500;
/**
 * Measured: characters times instructions of a pattern in one step. A large pattern can have more states than are kept,
 * and then takes long for each character; a small one has few.
 */
const WORK_PER_STEP = { small: 16, large: 0.4 };
const SMALL_PROGRAM_SIZE = 16;
const STEPS_EACH = 12;

const SPACES =
  '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NOT_SPACES =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}' +
  '\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}';
const ANY_BUT_LINE_ENDS = '[^\\n\\r\\x{2028}\\x{2029}]';
const CATEGORIES: Readonly<Record<string, string>> = {
  Letter: 'L',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Number: 'N',
  Decimal_Number: 'Nd',
  digit: 'Nd',
  Punctuation: 'P',
  Symbol: 'S',
  Separator: 'Z',
  Other: 'C',
  Control: 'Cc',
};

/**
 * Compiles a pattern to RE2, which never backtracks: arguments come from the agent.
 * @throws Error when it is not a pattern, or when RE2 cannot hold it (lookaround, backreferences).
 */
export function compilePattern(source: string): Pattern {
  return prepared(source, toRe2(source));
}

/** The same for a pattern that is written for RE2. */
export const compileRe2 = (source: string): Pattern => prepared(source, source);

/** The patterns compiled last: many schemas have the same ones. */
const compiled = new Map<string, Pattern>();
const COMPILED_MAX = 500;

function prepared(source: string, written: string): Pattern {
  const known = compiled.get(written);
  if (known?.source === source) return known;
  const pattern = prepare(source, written);
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(written, pattern);
  return pattern;
}

function prepare(source: string, written: string): Pattern {
  if (source.length > PATTERN_LENGTH_MAX)
    throw new Error(`the pattern is longer than ${PATTERN_LENGTH_MAX} characters`);
  const program = RE2JS.compile(written);
  const size = program.programSize();
  if (size > PROGRAM_SIZE_MAX) throw new Error('the pattern repeats too much: write smaller counts');
  const perStep = size <= SMALL_PROGRAM_SIZE ? WORK_PER_STEP.small : WORK_PER_STEP.large;
  return {
    source,
    test(text, meter) {
      meter.spend(STEPS_EACH + Math.ceil((text.length * size) / perStep));
      return program.test(text);
    },
  };
}

/**
 * JSON Schema means patterns as ECMAScript does. RE2 reads a few of the same signs in another way, such as `\s`
 * without the no-break space: those are written out.
 */
function toRe2(source: string): string {
  const parts: string[] = [];
  let inClass = false;
  for (let at = 0; at < source.length; ) {
    const sign = source[at] ?? '';
    if (sign === '\\') {
      const [text, length] = escapeOf(source, at, inClass);
      parts.push(text);
      at += length;
      continue;
    }
    if (sign === '[' && !inClass) {
      if (/^\[\^?\]/.test(source.slice(at, at + 3))) throw new Error('an empty class [] matches nothing');
      inClass = true;
    } else if (sign === ']') inClass = false;
    if (/^\(\?[a-zA-Z]*s[a-zA-Z-]*[:)]/.test(source.slice(at, at + 12)))
      throw new Error('the flag s is not supported: write [\\s\\S]');
    parts.push(sign === '.' && !inClass ? ANY_BUT_LINE_ENDS : sign);
    at++;
  }
  return parts.join('');
}

/** An escape at `at` as RE2 writes it, and how long it is in the source. */
function escapeOf(source: string, at: number, inClass: boolean): [text: string, length: number] {
  const rest = source.slice(at + 1, at + 40);
  if (rest.startsWith('s')) return [inClass ? SPACES : `[${SPACES}]`, 2];
  if (rest.startsWith('S')) return [inClass ? NOT_SPACES : `[^${SPACES}]`, 2];
  const control = /^c([a-zA-Z])/.exec(rest);
  if (control) return [codePoint((control[1] ?? '').charCodeAt(0) % 32), 3];
  if (/^0(?!\d)/.test(rest)) return [codePoint(0), 2];
  const pair = /^u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(rest);
  if (pair) {
    const units = [pair[1], pair[2]].map((unit) => Number.parseInt(unit ?? '', 16));
    return [codePoint(String.fromCharCode(...units).codePointAt(0) ?? 0), 12];
  }
  const unit = /^u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/.exec(rest);
  if (unit) return [codePoint(Number.parseInt(unit[1] ?? unit[2] ?? '', 16)), unit[0].length + 1];
  const property = /^([pP])\{(?:(?:Script|sc|General_Category|gc)=)?(\w+)\}/.exec(rest);
  if (property) {
    const [whole, sign, name = ''] = property;
    return [`\\${sign}{${CATEGORIES[name] ?? name}}`, whole.length + 1];
  }
  return [`\\${rest.charAt(0)}`, 2];
}

const codePoint = (code: number): string => `\\x{${code.toString(16)}}`;
