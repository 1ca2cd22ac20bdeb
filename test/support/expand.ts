/**
 * What a migration may not do while the service of the version before runs on the store: take away or narrow what that one
 * uses, or hold a table for long. Each is a pattern over one statement and what it is called.
 */
const NARROWING: readonly (readonly [RegExp, string])[] = [
  [/\bDROP (TABLE|COLUMN|VIEW|CONSTRAINT|DEFAULT)\b/i, 'takes away what the version before may use'],
  [/\bRENAME\b/i, 'renames what the version before may use'],
  [/\bALTER COLUMN \w+ (SET DATA )?TYPE\b/i, 'changes a type'],
  [/\bSET NOT NULL\b/i, 'wants what the version before may leave out'],
  [
    /\bADD COLUMN (?:IF NOT EXISTS )?\w+ (?![^,;]*\bDEFAULT\b)[^,;]*\bNOT NULL\b/i,
    'wants what the version before leaves out',
  ],
  [/\bADD (CONSTRAINT|CHECK|PRIMARY KEY|UNIQUE|FOREIGN KEY)\b/i, 'refuses what the version before may write'],
  [/\bCREATE UNIQUE INDEX\b/i, 'refuses what the version before may write'],
  [/\bCREATE INDEX (?!CONCURRENTLY)/i, 'holds the table while the index is made: use CONCURRENTLY'],
  [/^(UPDATE|DELETE|TRUNCATE)\b/i, 'changes rows that are in use'],
];

/** `-- contract: why the version before does without`, above the statement. */
const EXCUSED = /^-- contract: \S.{9,}$/m;
const NEW_TABLE = /\bCREATE TABLE (\w+)/gi;
const TABLE_OF = /\b(?:ALTER TABLE|ON|UPDATE|DELETE FROM|TRUNCATE|DROP TABLE)\s+(\w+)/i;

/** What is wrong with the statements of one migration; what it does to its own new tables is nobody's. */
export function narrowings(statements: readonly string[]): string[] {
  const own = new Set(
    statements.flatMap((text) => [...text.matchAll(NEW_TABLE)].map(([, name = '']) => name)),
  );
  return statements.flatMap((statement) => {
    const text = statement.replace(/^--.*\n/gm, '').trim();
    if (EXCUSED.test(statement) || own.has(TABLE_OF.exec(text)?.[1] ?? '')) return [];
    return NARROWING.filter(([pattern]) => pattern.test(text)).map(
      ([, why]) => `${why}: ${text.split('\n')[0]}`,
    );
  });
}
