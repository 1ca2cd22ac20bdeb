/** Characters that show as nothing or turn the text around them: controls, formats, separators, fillers. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115F\u1160\u2800\u3164\uFFA0]|\u034F|\p{Surrogate}/gu;

/** The text with every character that cannot be seen spelled out by `spell`, which gets its code point. */
export const spellUnseen = (text: string, spell: (codePoint: number) => string): string =>
  text.replace(UNSEEN, (char) => spell(char.codePointAt(0) ?? 0));
