import { CompiledQuery, type KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import { openDesk } from './support.ts';

test.each(['pglite', 'postgres'] as const)('click on %s', async (store) => {
  await using desk = await openDesk({ store });
  const nodes: string[] = [];
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      const n = node as any;
      nodes.push(`${n.kind} ${JSON.stringify(n.from?.froms?.[0]?.table?.identifier?.name ?? n.into?.table?.identifier?.name ?? n.table?.table?.identifier?.name ?? '')}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const db = desk.services.db;
  const acks: number[] = [], ups: number[] = [];
  for (let i = 0; i < 40; i++) {
    const { card } = await desk.givenCard();
    if (i === 39) desk.services.db = { ...db, sql: db.sql.withPlugin(plugin) } as any;
    const t = performance.now();
    await desk.slack.click(card, 'Approve', 'U0ANA').ack();
    acks.push(performance.now() - t);
    if (i === 39) { console.log(nodes.length, nodes.join('\n')); }
    await desk.slack.nextUpdate(card);
    ups.push(performance.now() - t);
  }
  const q = (a: number[]) => { const s = [...a].sort((x, y) => x - y); return [s[4], s[20], s[36]].map((x) => x?.toFixed(1)); };
  console.log(store, 'ack p10/p50/p90', q(acks), 'update', q(ups));
}, 120_000);
