import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const FOLDER = fileURLToPath(new URL('../histories/', import.meta.url));

/**
 * With PORTCULLIS_RECORD=1, saves the workflow's history as the fixture of a control-flow shape. Fixtures are recorded
 * for a new shape or a new version, beside the old ones; never again to make a replay pass.
 */
export async function keepHistory(handle: WorkflowHandle, shape: string): Promise<void> {
  if (process.env.PORTCULLIS_RECORD !== '1') return;
  const path = `${FOLDER}${shape}.json`;
  mkdirSync(dirname(path), { recursive: true });
  const history = JSON.parse(historyToJSON(await handle.fetchHistory()));
  writeFileSync(path, `${JSON.stringify(history, withoutThisMachine)}\n`);
}

/** Neither host names nor paths of the machine that recorded it. */
const withoutThisMachine = (key: string, value: unknown): unknown =>
  key === 'identity' ? 'recorder' : key === 'stackTrace' ? '' : value;
