import pino from 'pino';
import { createApi } from './src/api/server.ts';
import { DatabaseClock } from './src/db/clock.ts';
import { openKeys } from './src/credentials/keys.ts';
import { openDatabase } from './src/db/database.ts';
import { migrate } from './src/db/migrate.ts';
import { Worlds } from './src/enforcement/world.ts';
import { AskWriter } from './src/records/ask-writer.ts';
import { sealingKeyOf } from './src/credentials/sealing-key.ts';
import { givenAdopted, givenToken, givenRelease, RELEASE_2_YAML } from './test/support/fixtures.ts';
import { startPostgres } from './src/embedded/postgres/server.ts';
import { closeGateFor } from './src/records/gate.ts';
import { mkdtempSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
const folder = mkdtempSync('/tmp/answer/pg-');
const pg = await startPostgres({ folder, log: () => {} });
const db = await openDatabase({ url: pg.url });
await migrate(db);
const clock = await DatabaseClock.start(db.sql);
const sealing = () => sealingKeyOf(Buffer.alloc(32, 7).toString('base64'), 'bench');
const services: any = { db, clock, dayMs: 86_400_000, keys: await openKeys(db, { find: sealing, make: sealing }, clock.now()), worlds: new Worlds(db.sql), asks: new AskWriter(db.sql, clock), log: pino({ level: 'error' }), publicUrl: 'http://localhost', wake: () => {} };
const { agent } = await givenAdopted(services);
await givenRelease(services, agent, RELEASE_2_YAML);
await closeGateFor(services, (tx) => tx.updateTable('in_force').set({ release: '2' }).execute());
const token = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
const app = await createApi(services);
const url = await app.listen({ host: '127.0.0.1', port: 0 });
let session: Session | undefined; let cpu0: NodeJS.CpuUsage;
process.on('message', async (m: any) => {
  if (m.do === 'start') { cpu0 = process.cpuUsage(); if (m.prof) { session = new Session(); session.connect(); await session.post('Profiler.enable'); await session.post('Profiler.start'); } process.send?.({}); }
  if (m.do === 'stop') { const c = process.cpuUsage(cpu0); let file; if (session) { const { profile } = await session.post('Profiler.stop'); writeFileSync(m.file, JSON.stringify(profile)); session.disconnect(); session = undefined; } process.send?.({ cpu: c.user + c.system }); }
  if (m.do === 'end') { await app.close(); await db.close(); await pg.stop(); process.exit(0); }
});
process.send?.({ url, headers: token.headers });
