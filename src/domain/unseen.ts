/**
 * What shows as nothing, as a blank that is no space, or turns the text around it: by the engine's data of Unicode, and
 * three that are drawn as nothing although no property says so (blank of Braille, object replacement, null note).
 */
const UNSEEN =
  /(?! )[\p{C}\p{Z}\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2800\uFFFC\u{1D159}]/gu;
/** One that nothing has to be done for: most names, and quickly told. */
const PLAIN = /^[!-~]*(?: [!-~]+)*$/;
const BEYOND_ASCII = /[^\0-\x7f]/;
/** Unbroken, with a dot or an @ inside: a host, an e-mail address, a link. */
const UNBROKEN = /[^\s<>"'()[\]{},;]+/gu;
const ADDRESS = /[\p{L}\p{M}\p{N}][@.][\p{L}\p{N}]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts whose letters pass for one another's, and those that are written together with the first (UTS 39). */
const LOOKALIKE_SCRIPTS = [/\p{scx=Latin}/u, /\p{scx=Cyrillic}/u, /\p{scx=Greek}/u];
const WITH_LATIN = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}]/u;

type Spell = (codePoint: number) => string;

/**
 * The text with every character spelled out by `spell` that cannot be seen, and, in what may be an address, every one that
 * passes for another: letters of a second script within a word, and forms of compatibility such as full width.
 */
export const spellUnseen = (text: string, spell: Spell): string => {
  const seen = BEYOND_ASCII.test(text) ? text.replace(UNBROKEN, (run) => spellLookalikes(run, spell)) : text;
  return seen.replace(UNSEEN, (char) => spell(char.codePointAt(0) ?? 0));
};

/** As `spellUnseen`, for one line on which two blanks would look like one. */
export const spellLine = (text: string, spell: Spell): string =>
  spellUnseen(text, spell).replace(/(?<= ) /g, () => spell(SPACE));

/** The text without what cannot be seen, every run of blanks as one space. */
export function withoutUnseen(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .replace(/\p{White_Space}+/gu, ' ')
    .replace(UNSEEN, '')
    .replace(/ {2,}/g, ' ');
}

/** Whether people see anything of it that says something: a letter, a digit or a symbol. */
export const saysSomething = (text: string): boolean => /[\p{L}\p{N}\p{S}]/u.test(text.replace(UNSEEN, ''));

const SPACE = 32;

function spellLookalikes(run: string, spell: Spell): string {
  if (!BEYOND_ASCII.test(run) || !ADDRESS.test(run.normalize('NFKC'))) return run;
  const apart = run.replace(WORD, (word) => {
    const isOdd = oddIn(word);
    return isOdd
      ? word.replace(/\p{L}/gu, (letter) => (isOdd(letter) ? spelled(letter, spell) : letter))
      : word;
  });
  return apart.replace(/[^\0-\x7f]/gu, (char) =>
    char.normalize('NFKC') === char ? char : spelled(char, spell),
  );
}

/** Which letters of a word are of another script than the rest of it; `undefined`: it has one script alone. */
function oddIn(word: string): ((letter: string) => boolean) | undefined {
  const letters = word.match(/\p{L}/gu) ?? [];
  const own = LOOKALIKE_SCRIPTS.find((script) => letters.some((letter) => script.test(letter)));
  if (!own) return undefined;
  const isOdd = (letter: string) =>
    !own.test(letter) && !(own === LOOKALIKE_SCRIPTS[0] && WITH_LATIN.test(letter));
  return letters.some(isOdd) ? isOdd : undefined;
}

const spelled = (char: string, spell: Spell): string => spell(char.codePointAt(0) ?? 0);
