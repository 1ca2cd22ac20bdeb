const RESERVED_WORDS: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

/** Whether the condition language has the word for itself: nothing can be named so. */
export const isReservedWord = (name: string): boolean => RESERVED_WORDS.has(name);
