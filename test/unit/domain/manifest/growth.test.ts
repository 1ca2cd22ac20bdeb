import { expect, test } from 'vitest';
import { checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { diffAgents, diffReleases, onlyTakesAway } from '../../../../src/domain/manifest/diff.ts';
import { readManifest } from '../../../../src/domain/manifest/manifest.ts';
import { heldMs } from '../../../support/cpu.ts';

const HEAD = `agent: big
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
tools:
`;
const tool = (at: number): string => `  tool_${at}:
    summary: Do {id}
    redact: [card]
    risks: [{ when: args.amount > 100, risk: high }]
    args:
      type: object
      required: [id, amount]
      additionalProperties: false
      properties: { id: { type: string, pattern: "^[A-Z0-9]{6}$" }, amount: { type: integer, minimum: 0 }, card: { type: string, maxLength: 20 } }
`;
const grant = (at: number): string => `  - { tool: tool_${at}, when: args.amount < 100, approval: desk }\n`;
const many = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('');

function apply(count: number): void {
  const agent = readManifest('agent.yaml', HEAD + many(count, tool), 'agent');
  if (!agent.ok) throw new Error(agent.problems[0]?.message);
  const text = `agent: big\nrelease: 1\ngrants:\n${many(count, grant)}`;
  const release = readManifest('release.yaml', text, 'release', agent.value);
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
