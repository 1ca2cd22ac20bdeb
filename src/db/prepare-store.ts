import type { Database } from './database.ts';
import { absentStore } from './failure.ts';
import { migrate } from './migrate.ts';
import { refoldNames } from './name-keys.ts';
import { shownUrl } from './shown-url.ts';
import { requireCurrentStore } from './store-state.ts';

/**
 * What a service does to its store before anything else: its own follows this version; the operator's is looked at, and
 * changed when they say so (`portcullis migrate`).
 * @throws AppError `setup_failed` for one that is away, older or newer
 */
export async function prepareStore(
  db: Database,
  { url, isOurs }: { url: string; isOurs: boolean },
): Promise<void> {
  const address = shownUrl(url);
  try {
    if (isOurs) return void (await migrate(db));
    await requireCurrentStore(db.sql, address);
    await refoldNames(db.sql);
  } catch (error) {
    throw absentStore(error, address) ?? error;
  }
}
