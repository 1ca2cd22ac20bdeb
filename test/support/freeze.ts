import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../../src/embedded/postgres/server.ts';
import { FAST } from '../../src/embedded/postgres/settings.ts';
import { COLUMNS, createStore } from './store.ts';

/**
 * `npm run freeze`, once a version is out: writes down the statements that its service sends. From then on a test holds that
 * the store of the next version takes them all (test/integration/db/version-before.test.ts).
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FROZEN = join(ROOT, 'test/stores/version-before');
/** What changes the store itself, what belongs to one connection, and where a test sends the service astray. */
const LEFT_OUT =
  /^\s*(SET|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|CREATE|DROP|ALTER|LISTEN|LOCK|TRUNCATE)\b|kysely_migration|stored_code|"nowhere"/i;

/** Alike but for how many values are listed: one of them is enough. */
const shapeOf = (text: string): string =>
  text
    .replace(/\$\d+/g, '$')
    .replace(/\$(, \$)+/g, '$')
    .replace(/(\([^()]*\))(, \1)+/g, '$1');

const noted = join(mkdtempSync(join(tmpdir(), 'portcullis-freeze-')), 'statements');
writeFileSync(noted, '');
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'served', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, PORTCULLIS_FREEZE: noted },
});
if (status !== 0) process.exit(status ?? 1);
const texts = readFileSync(noted, 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as string).trim());
const byShape = new Map(texts.filter((text) => !LEFT_OUT.test(text)).map((text) => [shapeOf(text), text]));
const statements = [...byShape.values()].sort();
writeFileSync(
  `${FROZEN}.sql`,
  `-- Written by npm run freeze: what the service of the version before sends.\n---\n${statements.join('\n---\n')}\n`,
);
const columns = await readColumns();
writeFileSync(`${FROZEN}.json`, `${JSON.stringify(columns, null, 2)}\n`);
console.log(`${statements.length} statements, ${Object.keys(columns).length} tables`);

/** Of a new store. */
async function readColumns(): Promise<Record<string, object>> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-freeze-'));
  const server = await startPostgres({ folder: join(folder, 'postgres'), settings: FAST, log: () => {} });
  const client = new pg.Client({ connectionString: await createStore(server.url) });
  await client.connect();
  const { rows } = await client.query<{ table: string; columns: object }>(COLUMNS);
  await client.end();
  await server.stop();
  rmSync(folder, { recursive: true });
  return Object.fromEntries(rows.map(({ table, columns }) => [table, columns]));
}
