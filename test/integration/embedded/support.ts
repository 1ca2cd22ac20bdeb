import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { postgresOwner } from '../../../src/embedded/postgres/owner.ts';
import {
  type EmbeddedPostgres,
  type StartPostgresOptions,
  startPostgres,
} from '../../../src/embedded/postgres/server.ts';

/** A folder of one's own per test, that only its owner may enter, and what was started in it. */
export interface StoreFolder {
  readonly folder: string;
  readonly data: string;
  /** What the start said. */
  said(): string;
  start(options?: Partial<StartPostgresOptions>): Promise<EmbeddedPostgres>;
  /** The number in Postgres' pid file. */
  postmaster(): number;
}

export function useStoreFolder(): StoreFolder {
  let root = '';
  let lines: string[] = [];
  let started: EmbeddedPostgres[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portcullis-store-'));
    [lines, started] = [[], []];
  });
  afterEach(async () => {
    for (const server of started) await server.stop();
    rmSync(root, { recursive: true, force: true });
  });
  const place: StoreFolder = {
    get folder() {
      return join(root, 'store');
    },
    get data() {
      return join(root, 'store', 'data');
    },
    said: () => lines.join('\n'),
    async start(options) {
      const server = await startPostgres({
        folder: place.folder,
        log: (line) => void lines.push(line),
        ...options,
      });
      started.push(server);
      return server;
    },
    postmaster: () => Number(readFileSync(join(place.data, 'postmaster.pid'), 'utf8').split('\n')[0]),
  };
  return place;
}

export async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A program of the user that Postgres runs as, which is not Postgres. */
export function startStranger(): ChildProcess {
  const owner = postgresOwner();
  return spawn('sleep', ['600'], { stdio: 'ignore', ...(owner && { uid: owner.uid, gid: owner.gid }) });
}
