import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readManifest, readManifestValue, readRates } from '../../src/domain/manifest/manifest.ts';
import { AGENT_YAML } from './domain/manifest/fixtures.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/business-metrics.md'), 'utf8');
const BLOCKS = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);

test('docs/business-metrics.md: metrics and rates as the airline example has them', () => {
  const [metrics = '', rates = ''] = BLOCKS;
  const example = (file: string) => readFileSync(join(ROOT, 'examples/airline', file), 'utf8');
  const agent = readManifest('agent.yaml', example('agent.yaml'), 'agent');
  if (!agent.ok) throw new Error('agent.yaml');
  const read = readManifestValue({ ...parse(AGENT_YAML), metrics: parse(metrics).metrics }, 'agent');
  if (!read.ok) throw new Error('the metrics of the page');
  for (const [name, { measures }] of Object.entries(read.value.metrics))
    expect(measures).toBe(agent.value.metrics[name]?.measures);
  expect(readRates('rates.yaml', rates).ok).toBe(true);
  expect(parse(rates)).toEqual(parse(example('rates.yaml')));
});
