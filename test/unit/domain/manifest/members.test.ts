import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { membersPage } from '../../../../src/cli/members-page.ts';
import { membersOf } from '../../../../src/domain/manifest/members.ts';

const KINDS = ['agent', 'release'] as const;

test.each(KINDS)('every member of the schema of the %s says what it is', (kind) => {
  const mute = membersOf(kind).filter(({ about }) => !about?.trim());
  expect(mute.map(({ path }) => path)).toEqual([]);
});

test('every one has its line, those that are shared at the place that they are told at', () => {
  const page = membersPage();
  const told = [...page.matchAll(/^\| \**`([^`]+)`/gm)].map(([, path = '']) => path);
  const like = (path: string) =>
    path
      .replace('toolDefaults[].', 'tools.*.')
      .replace(/^rollout\.(constrained|scale)\[\]\.gate\./, 'rollout.baseline.gate.')
      .replace('rollout.scale[].', 'rollout.constrained[].')
      .replace('approval.stages[].', 'approval.');
  const untold = KINDS.flatMap(membersOf).filter(
    ({ path }) => !told.includes(path) && !told.includes(like(path)),
  );
  expect(untold.map(({ path }) => path)).toEqual([]);
  expect(told.length).toBeGreaterThan(150);
  for (const path of ['freezes[].ical', 'metrics.*.perMax', 'metrics.*.source.prometheus.harms'])
    expect(told).toContain(path);
  for (const path of ['on.no-data', 'control.more', 'share', 'action', 'perDay', 'limit.baseline.margin'])
    expect(told).toContain(`rollout.guardrails[].${path}`);
  expect(told).toContain('rollout.pairs');
});

test('docs/manifest-members.md is the page', () => {
  const path = fileURLToPath(new URL('../../../../docs/manifest-members.md', import.meta.url));
  expect(readFileSync(path, 'utf8')).toBe(membersPage());
});
