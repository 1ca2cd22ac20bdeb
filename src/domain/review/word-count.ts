/** The words of a text: what stands between spaces and has a letter or a digit. */
export const wordsIn = (text: string): number =>
  text.split(/\s+/u).filter((part) => /[\p{L}\p{N}]/u.test(part)).length;
