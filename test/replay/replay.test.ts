import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import { verifies } from '../requirements.ts';

const FOLDER = fileURLToPath(new URL('../histories/', import.meta.url));
const fixtures = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.json'))
  .sort();

/** One saved history for each way a workflow can go. */
const SHAPES = [
  'agent-callback/taken-later',
  'governed-action/approved-and-executed',
  'governed-action/corrected',
  'governed-action/reminded-and-expired',
  'governed-action/unknown',
  'rollout/completed',
  'rollout/continued-as-new',
  'rollout/moved-on',
  'rollout/paused-and-resumed',
  'rollout/refused',
  'rollout/rolled-back-by-signal',
];

let code: string;
beforeAll(async () => {
  ({ code } = await workflowBundle());
});

test('every control-flow shape has a history', () => {
  const recorded = fixtures.map((file) => file.replace(/(-v\d+)?\.json$/, ''));
  expect(SHAPES.filter((shape) => !recorded.includes(shape))).toEqual([]);
});

for (const file of fixtures) {
  verifies('never:history-fails-to-replay', `replays ${file}`, async () => {
    const history = JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8'));
    await Worker.runReplayHistory({ workflowBundle: { code } }, history);
  });
}
