import type { Sql } from '../db/database.ts';

/** Where pages are posted, each with the agents that it is about there. */
export async function channelsOf(db: Sql): Promise<Map<string, string[]>> {
  const rows = await db.selectFrom('agent').select('manifest').orderBy('name').execute();
  const channels = new Map<string, string[]>();
  for (const { manifest } of rows) {
    const channel = manifest.reviews?.channel ?? manifest.slack.alerts ?? manifest.slack.channel;
    if (channel !== undefined) channels.set(channel, [...(channels.get(channel) ?? []), manifest.agent]);
  }
  return channels;
}
