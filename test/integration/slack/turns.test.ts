import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { turnOf } from '../../../src/cards/posting/turns.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('turnOf()', (make) => {
  test('one that goes first moves those before it on by one, and nobody who came after it', async () => {
    const services = await make();
    const channel = 'C0DESK';
    const turn = (ref: string, first = false) => turnOf(services, { channel, ref, first });
    const [, one, other] = [await turn('now'), await turn('one'), await turn('other')];
    // Somebody comes after it between its turn and its going first.
    const after = new Date(other.due_at.getTime() + 60_000);
    await sql`CREATE FUNCTION comes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO post (channel, ref, due_at, tries) VALUES (NEW.channel, 'after', ${sql.lit(after.toISOString())}::timestamptz, 0)
      ON CONFLICT DO NOTHING; RETURN NEW; END $$`.execute(services.db.sql);
    await sql`CREATE TRIGGER comes AFTER UPDATE ON post FOR EACH ROW WHEN (NEW.ref = 'urgent') EXECUTE FUNCTION comes()`.execute(
      services.db.sql,
    );
    expect((await turn('urgent', true)).due_at).toEqual(one.due_at);
    const rows = await services.db.sql
      .selectFrom('post')
      .select(['ref', 'due_at'])
      .orderBy('due_at')
      .execute();
    const gap = other.due_at.getTime() - one.due_at.getTime();
    expect(rows).toEqual([
      { ref: 'now', due_at: expect.any(Date) },
      { ref: 'urgent', due_at: one.due_at },
      { ref: 'one', due_at: other.due_at },
      { ref: 'other', due_at: new Date(other.due_at.getTime() + gap) },
      { ref: 'after', due_at: after },
    ]);
  });
});
