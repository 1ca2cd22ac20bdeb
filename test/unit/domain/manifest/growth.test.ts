import { expect, test } from 'vitest';
import { checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { diffAgents, diffReleases, onlyTakesAway } from '../../../../src/domain/manifest/diff.ts';
import { readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { heldMs } from '../../../support/cpu.ts';
import { manyToolsYaml } from '../../../support/many-tools.ts';

function apply(count: number): void {
  const yaml = manyToolsYaml(count);
  const agent = readManifest('agent.yaml', yaml.agent, 'agent');
  if (!agent.ok) throw new Error(agent.problems[0]?.message);
  const release = readManifest('release.yaml', yaml.release, 'release', agent.value);
  if (!release.ok) throw new Error(release.problems[0]?.message);
  expect(checkRelease(release.value, agent.value)).toEqual([]);
  diffAgents(agent.value, agent.value);
  diffReleases(release.value, release.value);
  onlyTakesAway(release.value, release.value);
}

test('what applying takes grows with the number of tools, and no faster', { timeout: 60_000 }, () => {
  apply(50);
  const few = heldMs(() => apply(200));
  const more = heldMs(() => apply(800));
  // Four times as many: with room for what a busy machine adds.
  expect(more / few).toBeLessThan(8);
});
