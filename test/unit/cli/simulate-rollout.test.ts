import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runInTest, tooLong } from './cli-io.ts';

const cwd = fileURLToPath(new URL('../../../examples/airline/', import.meta.url));
const simulate = (...more: string[]) =>
  runInTest(['rollout', 'simulate', 'agent.yaml', 'release-2.yaml', '--runs', '100', ...more], { cwd });

test('offline: which segments are too thin, what exposure would suffice, when harm is noticed', async () => {
  const { out, flat, code } = await simulate('--traffic', '*=4', '--traffic', 'gold=12');
  expect(code).toBe(0);
  expect(flat).toContain('60 days of exposure after the baseline. Traffic as given.');
  expect(flat).toContain('gold wrong-cancellation: expose 67 % of it on the same days');
  expect(out).toMatch(/default +wrong-cancellation +4 +111 \(606\) +14 +never/);
  expect(flat).toContain('in at most 5 % of rollouts, whatever the traffic');
  expect(tooLong(out)).toEqual([]);
});

test('one harm is played, and the same seed gives the same answer', async () => {
  const harm = [
    '--traffic',
    '*=400',
    '--harm',
    'segment=gold,metric=wrong-cancellation,rate=0.1',
    '--output',
    'json',
  ];
  const [one, again] = [await simulate(...harm), await simulate(...harm)];
  expect(one.json()).toEqual(again.json());
  expect(one.json()).toMatchObject({
    noticed: [{ segment: 'gold', rate: 0.1, share: 1 }],
    healthyStopped: { atMost: 0.05 },
    recorded: null,
    seed: 1,
  });
});

test('nothing comes: it says so', async () => {
  const { flat } = await simulate('--traffic', '*=0');
  expect(flat).toContain('nothing comes while it is exposed, 111 are needed');
});

test.each([
  [['--traffic', 'gold'], '"gold" is not <segment>=<number>'],
  [['--traffic', 'glod=4'], 'there is no segment "glod"'],
  [['--traffic', 'gold=-1'], 'is below 0'],
  [['--traffic', 'gold=x'], '"x" is not a number'],
  [['--traffic', '*=1', '--harm', 'segment=gold'], 'does not name a segment, a metric and a rate'],
  [['--traffic', '*=1', '--harm', 'segment=gold,metric=wrong,rate=0.1'], 'there is no guardrail "wrong"'],
  [
    ['--traffic', '*=1', '--harm', 'segment=gold,metric=wrong-cancellation,rate=2'],
    'must be above 0 and at most 1',
  ],
  [['--traffic', '*=1', '--runs', '0'], '--runs is a whole number of at least 1'],
  [['--traffic', '*=1', '--runs', '999999'], '--runs is at most 10000'],
])('%j is refused', async (options, said) => {
  const { err, code } = await runInTest(['rollout', 'simulate', 'agent.yaml', 'release-2.yaml', ...options], {
    cwd,
  });
  expect(code).toBe(2);
  expect(err).toContain(said);
});

test('it needs one release', async () => {
  const { err, code } = await runInTest(['rollout', 'simulate', 'agent.yaml'], { cwd });
  expect(code).toBe(2);
  expect(err).toContain('Give the manifest of one release');
});
