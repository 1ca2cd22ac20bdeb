import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';

const DEMO = fileURLToPath(new URL('../../examples/airline/start.js', import.meta.url));
const DAY = '0.25s';
/** Beside other tests on a busy machine; alone it takes less than three minutes. */
const WITHIN_MS = 400_000;

interface Figures {
  asked: number;
  allowed: number;
  denied: number;
  pending: number;
  executed: number;
  refusedByTool: number;
  rollbacks: { segment: string; breachToRevokedMs: number; begunAfter: number }[];
  switch: { disableMs: number; begunAfter: number };
  desk: { accepted: number; refused: number };
  together: { segment: string; verdict: string; metrics: { metric: string }[] }[];
  beside: { segment: string; metric: string; cost: { currency: string } | null }[];
  log: { entries: number; verified: boolean };
  learned: { wrong: number; incidents: { mechanism: string; writes: number }[] };
  invariants: Record<string, boolean>;
}

/** The demo as a process of its own, as `npm run demo` starts it. */
async function runDemo(...args: string[]): Promise<{ code: number | null; text: string; figures: Figures }> {
  const child = spawn(process.execPath, [DEMO, '--json', '--day', DAY, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBUG: '1', PATH: pathWithTemporal() },
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const last = text.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`The demo ended with code ${code} and no figures:\n${text}`);
  return { code, text, figures: JSON.parse(last) as Figures };
}

/** The binary that global setup found is found by the demo too. */
function pathWithTemporal(): string {
  const binary = inject('temporalBinary');
  return binary ? `${binary.replace(/\/[^/]*$/, '')}:${process.env.PATH}` : (process.env.PATH ?? '');
}

describe('npm run demo', () => {
  test('ends with code 0: every invariant held, whether or not the candidate was taken back', {
    timeout: WITHIN_MS,
  }, async () => {
    const { code, text, figures } = await runDemo();
    expect(Object.entries(figures.invariants).filter(([, holds]) => !holds)).toEqual([]);
    expect(code, text).toBe(0);
    expect(figures.asked).toBe(250);
    expect(figures.allowed + figures.denied + figures.pending).toBe(250);
    expect(figures.desk).toEqual({ accepted: figures.executed, refused: figures.refusedByTool });
    expect(figures.switch.begunAfter).toBe(0);
    for (const { begunAfter, segment } of figures.rollbacks)
      expect([segment, begunAfter]).toEqual(['silver-test', 0]);
    expect(figures.log.verified).toBe(true);
    const { wrong, incidents } = figures.learned;
    expect(incidents.reduce((sum, { writes }) => sum + writes, 0)).toBe(wrong);
    if (figures.rollbacks.length > 0) {
      expect(figures.invariants['its case refuses release 2, and not release 3']).toBe(true);
      expect(text).toMatch(/A start is refused: cancel-unvouched is red/);
    }
    expect(
      figures.together.map(({ segment, metrics }) => [segment, ...metrics.map(({ metric }) => metric)]),
    ).toEqual([['silver-test', 'latency', 'cost']]);
    expect(figures.beside.find(({ metric }) => metric === 'wrong-cancellation')?.cost?.currency).toBe('USD');
    expect(text).toMatch(/silver-test \S+ together \(latency \S+, cost \S+\)/);
    expect(text).toContain('(assumptions of its owner, not measured)');
    for (const name of ['Escalations', 'Corrections'])
      expect(text).toMatch(new RegExp(`${name} +(\\d+ among|nothing to compare)`));
    const tooWide = text
      .split('\n')
      // A path cannot be broken.
      .filter((line) => !line.startsWith('{') && line.trim().includes(' ') && line.length > 80);
    expect(tooWide).toEqual([]);
  });

  test('--control takes nothing back', { timeout: WITHIN_MS }, async () => {
    const { code, text, figures } = await runDemo('--control', '--seed', '7');
    expect(code, text).toBe(0);
    expect(figures.rollbacks).toEqual([]);
    expect(figures.executed).toBe(figures.asked);
  });
});
