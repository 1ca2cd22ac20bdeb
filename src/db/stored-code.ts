import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Sql } from './database.ts';
import { readStatements } from './sql-files.ts';
import type { StoredCodeTable } from './tables.ts';

const FOLDER = fileURLToPath(new URL('./functions/', import.meta.url));

/** Of the processes that start at once. */
export const STORED_CODE_LOCK = 727_008;

const FUNCTION = /^CREATE FUNCTION (\w+\(.*?\))\s+RETURNS\s.*?(?= AS \$\$)/s;
const VIEW = /^CREATE VIEW (\w+) AS\s/;
const TRIGGER = /^CREATE TRIGGER (\w+)\s.*?\sON (\w+)\s.*\sEXECUTE FUNCTION (\w+\(\));?$/s;

/** A function, a trigger or a view, as its file says it. */
interface Code extends Omit<StoredCodeTable, 'digest'> {
  text: string;
}

/** The steps from what stands in the store to what the files say: drops first, then functions before triggers. */
export interface CodeChanges {
  drop: Pick<Code, 'kind' | 'identity'>[];
  create: Code[];
  replace: Code[];
}

/**
 * Makes the functions, triggers and views of the store those of the files: changed ones are replaced, or dropped and made anew
 * where their arguments or result changed; what no file names any more goes. What others made in the store is left alone.
 * Processes that start at once do it one after the other.
 */
export async function applyStoredCode(tx: Sql, folder = FOLDER): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${STORED_CODE_LOCK})`.execute(tx);
  const { drop, create, replace } = await pendingCode(tx, folder);
  // Bodies name tables and one another; the files come in the order of their names.
  await sql`SET LOCAL check_function_bodies = off`.execute(tx);
  for (const { kind, identity } of drop) {
    await sql.raw(`DROP ${kind} IF EXISTS ${identity}`).execute(tx);
    await tx.deleteFrom('stored_code').where('identity', '=', identity).execute();
  }
  for (const code of [...create, ...replace].sort(functionsFirst)) {
    const { text, ...row } = code;
    const statement = replace.includes(code) ? text.replace(/^CREATE /m, 'CREATE OR REPLACE ') : text;
    await sql.raw(statement).execute(tx);
    const values = { ...row, digest: digestOf(text) };
    await tx
      .insertInto('stored_code')
      .values(values)
      .onConflict((conflict) => conflict.column('identity').doUpdateSet(values))
      .execute();
  }
}

/** What is to do so that the functions and triggers of the store are those of the files. */
export async function pendingCode(db: Sql, folder = FOLDER): Promise<CodeChanges> {
  const { rows } = await sql<{
    there: boolean;
  }>`SELECT to_regclass('stored_code') IS NOT NULL AS there`.execute(db);
  const there = rows[0]?.there ? await db.selectFrom('stored_code').selectAll().execute() : [];
  return codeChanges(there, readCode(readStatements(folder)));
}

/** @returns what to do so that `there` becomes `wanted` */
function codeChanges(there: readonly StoredCodeTable[], wanted: readonly Code[]): CodeChanges {
  const stored = new Map(there.map((row) => [row.identity, row]));
  const byIdentity = new Map(wanted.map((code) => [code.identity, code]));
  const goes = ({ identity, head }: StoredCodeTable) => byIdentity.get(identity)?.head !== head;
  const gone = new Set(there.filter(goes).map(({ identity }) => identity));
  // A trigger holds its function.
  for (const { identity, kind, head } of there) if (kind === 'TRIGGER' && gone.has(head)) gone.add(identity);
  const isNew = ({ identity }: Code) => gone.has(identity) || !stored.has(identity);
  return {
    drop: there.filter(({ identity }) => gone.has(identity)).sort((a, b) => functionsFirst(b, a)),
    create: wanted.filter(isNew),
    replace: wanted.filter(
      (code) => !isNew(code) && stored.get(code.identity)?.digest !== digestOf(code.text),
    ),
  };
}

const functionsFirst = (a: Pick<Code, 'kind'>, b: Pick<Code, 'kind'>): number =>
  Number(a.kind === 'TRIGGER') - Number(b.kind === 'TRIGGER');

/** Above a function that a process of the version before still calls by what it took then: it stands beside the new one. */
const BEFORE = /^-- For the version before\b/m;

/** @throws Error for a statement that makes something else, and for a name that stands twice */
export function readCode(statements: readonly string[]): Code[] {
  const found = statements.map(readOne);
  const names = found.map(({ kind, identity, text }) =>
    BEFORE.test(text) ? `${kind} ${identity}` : `${kind} ${identity.split(/[ (]/)[0]}`,
  );
  const twice = names.find((name, n) => names.indexOf(name) < n);
  if (twice) throw new Error(`src/db/functions: ${twice} stands there twice`);
  return found;
}

function readOne(text: string): Code {
  const statement = text.replace(/^--.*\n/gm, '');
  const fn = FUNCTION.exec(statement);
  if (fn?.[1]) return { kind: 'FUNCTION', identity: oneLine(fn[1]), head: oneLine(fn[0]), text };
  const view = VIEW.exec(statement);
  // Its columns are its head: one that changes is made anew.
  if (view?.[1]) return { kind: 'VIEW', identity: view[1], head: oneLine(statement), text };
  const trigger = TRIGGER.exec(statement);
  if (trigger?.[3]) {
    return { kind: 'TRIGGER', identity: `${trigger[1]} ON ${trigger[2]}`, head: trigger[3], text };
  }
  throw new Error(
    `src/db/functions: neither CREATE FUNCTION nor CREATE TRIGGER nor CREATE VIEW: ${statement.slice(0, 80)}`,
  );
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
