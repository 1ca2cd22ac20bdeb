import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../src/domain/manifest/manifest.ts';
import { manyToolsYaml } from '../test/support/many-tools.ts';
import { alternately, ms, ratio } from './measure.ts';

const BIN = fileURLToPath(new URL('../bin/', import.meta.url));
const STARTS = 10;
const TOOLS = 2_000;
const MANY_TIMES = 3;

function read(text: string): void {
  const manifest = readManifest('agent.yaml', text, 'agent');
  if (!manifest.ok) throw new Error(manifest.problems[0]?.message);
}

/** (h) How long the command line takes to start, beside Node alone; (i) reading and checking a large manifest. */
export async function benchLaptop(say: (line: string) => void): Promise<void> {
  const run =
    (...argv: string[]) =>
    async () =>
      void spawnSync(process.execPath, argv);
  // As `npm ci` leaves it.
  await run(`${BIN}build.js`)();
  const [cli, node] = await alternately(
    STARTS,
    run(`${BIN}portcullis.js`, 'rollout', 'status', '--help'),
    run('-e', '0'),
  );
  say(
    `(h) portcullis rollout status --help      p50 ${ms(cli.p50)}   node alone ${ms(node.p50)}   ${ratio(cli.p50, node.p50)}   aim: at most 300 ms`,
  );
  const [many, few] = [TOOLS, TOOLS / 4].map((count) => manyToolsYaml(count).agent) as [string, string];
  const [large, small] = await alternately(
    MANY_TIMES,
    async () => read(many),
    async () => read(few),
  );
  say(
    `(i) a manifest of ${TOOLS} tools, checked    p50 ${ms(large.p50)}   of ${TOOLS / 4}: ${ms(small.p50)}   ${ratio(large.p50, small.p50)}   aim: at most 2 s, 4 x`,
  );
}
