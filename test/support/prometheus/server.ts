import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startProcess, waitUntilReady } from '../../../src/embedded/supervised-process.ts';
import { prometheusBinary } from './binary.ts';

const READY_MS = 60_000;
export const SCRAPE_MS = 200;

interface Sample {
  metric: Record<string, string>;
  /** A time in seconds, and what it was then. */
  value: [number, string];
}

export interface TestPrometheus {
  url: string;
  /** What an instant query answers, as it is. */
  query(query: string, at?: Date): Promise<Sample[]>;
  /** Until everything that is exported now was scraped. */
  scraped(): Promise<void>;
  stop(): Promise<void>;
}

/** A Prometheus on a port of its own that scrapes these exporters, five times a second. */
export async function startPrometheus(exporters: readonly string[]): Promise<TestPrometheus> {
  const command = await prometheusBinary();
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, configOf(exporters));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const server = startProcess({
    command,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    logFile: join(folder, 'log'),
  });
  const probe = async () => {
    const { ok } = await fetch(`${url}/-/ready`);
    if (!ok) throw new Error('not ready');
  };
  await waitUntilReady(server, probe, { what: 'Prometheus', withinMs: READY_MS });
  const query: TestPrometheus['query'] = async (text, at) => {
    const search = new URLSearchParams({ query: text, ...(at && { time: at.toISOString() }) });
    const answer = await fetch(`${url}/api/v1/query?${search}`);
    const { data } = (await answer.json()) as { data: { result: Sample[] } };
    return data.result;
  };
  return {
    url,
    query,
    async scraped() {
      const since = Date.now() / 1_000;
      const done = async () => {
        const [last] = await query('min(timestamp(up))');
        return last !== undefined && Number(last.value[1]) > since;
      };
      while (!(await done())) await sleep(SCRAPE_MS / 2);
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same twice: as it is exported, and its histograms as native ones. */
const configOf = (exporters: readonly string[]): string => `
global: { scrape_interval: ${SCRAPE_MS}ms, scrape_timeout: ${SCRAPE_MS}ms }
scrape_configs:
  - job_name: desk
    static_configs: [{ targets: [${exporters.join(', ')}] }]
  - job_name: native
    convert_classic_histograms_to_nhcb: true
    static_configs: [{ targets: [${exporters.join(', ')}] }]
`;
