import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { actionCard } from '../../../src/cards/action-card.ts';
import { visibleText } from '../../../src/cards/blocks/visible.ts';
import { cardVersion, readCardFacts } from '../../../src/cards/card-facts.ts';
import { refoldNames } from '../../../src/db/name-keys.ts';
import { recordReach } from '../../../src/reaching/record-reach.ts';
import { countReminder } from '../../../src/reaching/reminders.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { givenPendingAction } from '../../support/fixtures.ts';
import { WRITTEN_LOG } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { answer, givenPeople, givenRefund } from '../approvals/people.ts';
import { CARD_VERBS } from './verbs.ts';

type Of = Pick<ActionRow, 'id'>;

describeWithServices('the version of a card', (make) => {
  let services: TestServices;
  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
  });

  /** As one reading of the store: nothing of what is written meanwhile is in it. */
  const shown = ({ id }: Of): Promise<{ version: number; text: string }> =>
    services.db.sql
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (tx) => {
        const facts = await readCardFacts({ ...services, db: { ...services.db, sql: tx } }, id);
        return { version: facts.action.card_version, text: visibleText(actionCard(facts)) };
      });
  const entriesOf = async ({ id }: Of): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      SELECT count(*)::int AS n FROM ${WRITTEN_LOG} l WHERE ref = ${id} AND kind LIKE 'action.%'`.execute(
      services.db.sql,
    );
    return rows[0]?.n ?? 0;
  };

  describe('rises with whatever the card says, and with every entry of the log about it', () => {
    test.each(CARD_VERBS)('$name', async ({ given, act, says }) => {
      services.clock.advance(60_000);
      const action = await given(services);
      const [before, entries] = [await shown(action), await entriesOf(action)];
      services.clock.advance(1_000);
      await act(services, action);
      const after = await shown(action);
      expect(after.text).not.toBe(before.text);
      expect(after.version).toBeGreaterThan(before.version);
      // By as much as it takes to bring copies up to date, not by what was done to it before.
      expect(after.version - before.version).toBeLessThanOrEqual(12);
      if (says) expect(after.text).toMatch(says);
      expect(await entriesOf(action)).toBeGreaterThanOrEqual(entries);
      expect(await cardVersion(services.db.sql, action.id)).toBe(after.version);
    });
  });

  test('does not rise with what no card shows: a reminder, the moment of a post, the keys of names', async () => {
    const action = await givenPendingAction(services);
    const told = { state: 'queued', told: {} } as const;
    const queued = await recordReach(services, action, { ...told, postAt: '2026-03-02T10:00:00.000Z' });
    const later = await recordReach(services, queued, { ...told, postAt: '2026-03-02T10:05:00.000Z' });
    expect(later).toMatchObject({
      reach: { postAt: '2026-03-02T10:05:00.000Z' },
      card_version: queued.card_version,
    });
    services.clock.advance(60_000);
    expect(await countReminder(services, later, ['ana'])).toMatchObject({
      reminders: 1,
      card_version: queued.card_version,
    });
    await sql`UPDATE action SET asked_by_key = 'old' WHERE id = ${action.id}`.execute(services.db.sql);
    await refoldNames(services.db.sql);
    expect(await actionById(services.db.sql, action.id)).toMatchObject({
      asked_by_key: action.asked_by_key,
      card_version: queued.card_version,
    });
  });

  test('rises with any other column of the row, those that come later included', async () => {
    const unseen = ['id', 'card_version', 'reminders', 'asked_by_key', 'behind_keys'];
    const { rows: columns } = await sql<{ name: string; type: string }>`
      SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_schema = current_schema() AND table_name = 'action'`.execute(services.db.sql);
    const { id } = await givenPendingAction(services);
    const still: string[] = [];
    for (const { name, type } of columns.filter((column) => !unseen.includes(column.name))) {
      const other = OTHERS[type] ?? expect.fail(`a column of type ${type}: give it another value here`);
      const risen = await services.db.sql
        .transaction()
        .execute(async (tx) => {
          const before = await cardVersion(tx, id);
          // Rules about single columns are no matter here.
          await sql`ALTER TABLE action DISABLE TRIGGER USER`.execute(tx);
          await sql`ALTER TABLE action ENABLE TRIGGER action_changes_card`.execute(tx);
          await dropChecks(tx);
          const column = sql.ref(name);
          await sql`UPDATE action SET ${column} = ${sql.raw(other)} WHERE id = ${id}`.execute(tx);
          throw Object.assign(new Error('undone'), { risen: (await cardVersion(tx, id)) > before });
        })
        .catch((error: { risen?: boolean }) => error.risen);
      if (risen !== true) still.push(name);
    }
    expect(still).toEqual([]);
  });

  test('two answers at once, and whoever reads meanwhile: one version says one thing', async () => {
    for (let round = 0; round < 4; round++) {
      const action = await givenRefund(services);
      const said = new Map<number, Set<string>>();
      let done = false;
      const read = async () => {
        while (!done) {
          const { version, text } = await shown(action);
          said.set(version, (said.get(version) ?? new Set()).add(text));
        }
      };
      const readers = [read(), read()];
      await Promise.all([answer(services, action, 'ana'), answer(services, action, 'ben')]);
      await answer(services, action, 'eve');
      done = true;
      await Promise.all(readers);
      said.set((await shown(action)).version, new Set([(await shown(action)).text]));
      expect([...said].filter(([, texts]) => texts.size > 1)).toEqual([]);
      expect((await actionById(services.db.sql, action.id)).state).toBe('approved');
    }
  });
});

/** Another value, by the type of the column. */
const OTHERS: Readonly<Record<string, string>> = {
  text: "'something else'",
  uuid: "'11111111-2222-4333-8444-555555555555'",
  integer: '77',
  bigint: '77',
  boolean: 'true',
  jsonb: `'{"other": true}'`,
  'timestamp with time zone': "'2031-01-01T00:00:00Z'",
};

async function dropChecks(tx: TestServices['db']['sql']): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    SELECT conname AS name FROM pg_constraint WHERE conrelid = 'action'::regclass AND contype IN ('c', 'f')`.execute(
    tx,
  );
  for (const { name } of rows) await sql`ALTER TABLE action DROP CONSTRAINT ${sql.ref(name)}`.execute(tx);
}
