import { type DatabaseIntrospector, type Kysely, PostgresDialect, type SchemaMetadata, sql } from 'kysely';

/**
 * Kysely's migrator asks the introspector four times a step, and only which tables there are: Postgres' own answers with every
 * column of every table, which took most of the time of a first start.
 */
export class NamesOnlyDialect extends PostgresDialect {
  override createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return {
      async getTables() {
        const { rows } = await sql<{ schema: string; name: string }>`
          SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname = current_schema()`.execute(
          db,
        );
        return rows.map((row) => ({ ...row, isView: false, columns: [] }));
      },
      getSchemas: async () =>
        (await sql<SchemaMetadata>`SELECT nspname AS name FROM pg_namespace`.execute(db)).rows,
      getMetadata() {
        throw new Error('Not known of a dialect that knows names only');
      },
    };
  }
}
