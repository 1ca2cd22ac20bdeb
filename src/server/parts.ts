import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { isPart } from '../config/roles.ts';
import type { Config } from '../config.ts';
import { openKeys, type SealingSource } from '../credentials/keys.ts';
import { findSealingKey, makeSealingKey } from '../credentials/sealing-key.ts';
import { DatabaseClock } from '../db/clock.ts';
import { openDatabase } from '../db/database.ts';
import { prepareStore } from '../db/prepare-store.ts';
import { storeFolder } from '../embedded/postgres/address.ts';
import { type EmbeddedPostgres, startPostgres } from '../embedded/postgres/server.ts';
import { findTemporalBinary } from '../embedded/temporal-binary.ts';
import { startTemporalServer } from '../embedded/temporal-server.ts';
import { Worlds } from '../enforcement/world.ts';
import { AppError } from '../errors.ts';
import { settleInstallation } from '../installation/settle.ts';
import { AskWriter } from '../records/ask-writer.ts';
import { AfterBuffer } from '../records/record-after.ts';
import type { Services, SwitchProcess } from '../services.ts';
import { startSwitchProcess } from '../switch-process/supervise.ts';

const ANSWERS_WITHIN_MS = 1_000;

export type Say = (line: string) => void;
export type Stop = () => Promise<unknown>;

/** What every part is made of, and whom to tell how it is stopped again. */
export interface Making {
  config: Config;
  log: Logger;
  stops: Stop[];
  say: Say;
}

export interface Store {
  url: string;
  embedded?: EmbeddedPostgres;
}

const PORT_MAX = 65_535;

const sealingOf = ({ sealing }: Config, say: Say): SealingSource => ({
  find: () => findSealingKey(sealing, say),
  make: () => makeSealingKey(sealing, say),
});

/** The operator's Postgres, or our own in the data folder. */
export async function openStore({ config, stops, say }: Making): Promise<Store> {
  if (config.databaseUrl) return { url: config.databaseUrl };
  const embedded = await startPostgres({ folder: storeFolder(config.dataFolder), log: say });
  stops.push(() => embedded.stop());
  return { url: embedded.url, embedded };
}

/** What verbs are given, on the store as this version and this installation have it. */
export async function openServices(
  { config, log, stops, say }: Making,
  { url, embedded }: Store,
): Promise<Services> {
  const { dbPool, gatePool, cachedAgents } = config.sizes;
  const db = await openDatabase({ url, poolSize: dbPool, gatePoolSize: gatePool });
  stops.push(() => db.close());
  await prepareStore(db, { url, isOurs: embedded !== undefined });
  const clock = await DatabaseClock.start(db.sql);
  stops.push(async () => clock.stop());
  const { dayMs, publicUrl = '', issuer = '' } = await settleInstallation(db.sql, config, clock.now());
  if (publicUrl === '' && isPart(config.roles)) throw noPublicUrl();
  return {
    db,
    clock,
    dayMs,
    keys: await openKeys(db, sealingOf(config, say), clock.now()),
    worlds: new Worlds(db.sql, cachedAgents),
    retention: config.retention,
    asks: new AskWriter(db.sql, clock),
    ...(config.roles.includes('api') ? { after: new AfterBuffer() } : {}),
    log,
    publicUrl,
    issuer,
    wake: () => {},
  };
}

const noPublicUrl = (): AppError =>
  new AppError(
    'config_invalid',
    'Cannot start:\n- PORTCULLIS_PUBLIC_URL: is missing, and the store knows none: where several processes are one installation, the first one says where people reach it',
  );

export async function openTemporal({ config, stops, say }: Making): Promise<string> {
  const { address, namespace } = config.temporal;
  if (address) return address;
  const { path } = await findTemporalBinary({ log: say });
  const server = await startTemporalServer({
    binary: path,
    namespace,
    dbFile: join(config.dataFolder, 'temporal.db'),
    logFile: join(config.dataFolder, 'temporal.log'),
  });
  stops.push(() => server.stop());
  return server.address;
}

export async function temporalAnswers(client: Client): Promise<boolean> {
  try {
    const late = sleep(ANSWERS_WITHIN_MS, undefined, { ref: false }).then(() => false);
    return await Promise.race([client.workflowService.getSystemInfo({}).then(() => true), late]);
  } catch {
    return false;
  }
}

/** Next to the port of this process's own listener unless the environment says where. */
export async function openSwitch(
  { config, log, stops }: Making,
  { url: databaseUrl }: Store,
  ownUrl: string,
  publicUrl: string,
): Promise<SwitchProcess> {
  const { host, switchPort, logLevel, allowedHosts, trustProxy } = config;
  const ownPort = Number(new URL(ownUrl).port);
  const next = ownPort < PORT_MAX ? ownPort + 1 : ownPort - 1;
  const started = await startSwitchProcess(
    {
      databaseUrl,
      host,
      port: switchPort ?? next,
      anyPort: switchPort === undefined,
      logLevel,
      publicUrl,
      allowedHosts,
      trustProxy,
    },
    log,
  );
  stops.push(() => started.stop());
  return started;
}
