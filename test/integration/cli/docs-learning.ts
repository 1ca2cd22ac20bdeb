import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Given, Rule } from './docs-rule.ts';
import type { DocsWorld } from './docs-world.ts';

const AGENT = 'airline-desk';
const AIRLINE = fileURLToPath(new URL('../../../examples/airline', import.meta.url));
const REVIEW_YAML = `cause:
  mechanism: over_grant
  confidence: medium
  text: Refunds run unasked where a person was asked before
  refutedBy: As many wrong refunds where people are asked
next: { sentence: Ask a person above 50, owner: ana, by: 2026-12-28 }
prediction: { metric: wrong, segment: default, from: 0.2, to: 0.05, by: 2026-12-28 }
`;

/** Manifests and cases of the example, without what else lies there. */
function airline(world: DocsWorld, under: string): string {
  const folder = world.folder();
  cpSync(AIRLINE, join(folder, under), {
    recursive: true,
    filter: (path) => path === AIRLINE || basename(path) === 'cases' || path.endsWith('.yaml'),
  });
  return folder;
}

const opened = async (world: DocsWorld, title: string): Promise<string> =>
  String((await world.must('incidents', 'open', AGENT, '--title', title, '--reason', 'docs')).id);

async function incidents(world: DocsWorld): Promise<Given & { words: Record<string, string> }> {
  const words = {
    'inc-4f2a91c07b': await opened(world, 'Refund paid twice'),
    'inc-90b1c2d3e4': await opened(world, 'Another refund paid twice'),
  };
  return { words };
}

/** Proposed, and taken by somebody else than who runs the commands. */
async function followUp(world: DocsWorld, ...steps: ('commit' | 'claim')[]): Promise<Given> {
  const { id } = await world.must('follow-ups', 'propose', AGENT, 'Ask for cancellations');
  if (steps.includes('commit'))
    await world.must('follow-ups', 'commit', id, '--owner', 'ben', '--due', '2026-12-24');
  if (steps.includes('claim')) {
    await world.must('follow-ups', 'claim', id, '--link', 'https://example.com/change/7');
    const { sql } = world.services.db;
    await sql.updateTable('follow_up').set({ claimed_by: 'ben' }).where('id', '=', id).execute();
  }
  return { words: { 'fu-4f2a91c07b': id, 'fu-90b1c2d3e4': id } };
}

/** The review that the end of a rollout owes; written by another owner where somebody seconds it. */
async function cycle(world: DocsWorld, written = false): Promise<Given> {
  await world.rollout(AGENT);
  await world.must('rollout', 'rollback', AGENT, '--reason', 'docs');
  world.write('review.yaml', REVIEW_YAML);
  const { sql } = world.services.db;
  const { id } = await sql
    .selectFrom('cycle_review')
    .select('id')
    .where('agent', '=', AGENT)
    .orderBy('opened_at', 'desc')
    .executeTakeFirstOrThrow();
  if (written) {
    await world.must('reviews', 'cycle', 'write', id, 'review.yaml');
    const by = { state: 'awaiting_second', written_by: 'ben' } as const;
    await sql.updateTable('cycle_review').set(by).where('id', '=', id).execute();
  }
  return { words: { 'rev-1a2b3c4d5e': id } };
}

async function page(world: DocsWorld): Promise<Given> {
  await world.run(['reviews', 'make']);
  const { sql } = world.services.db;
  const { week } = await sql
    .selectFrom('weekly_review')
    .select('week')
    .orderBy('week', 'desc')
    .executeTakeFirstOrThrow();
  return { words: { '2026-W47': week } };
}

/** What incidents, follow-ups, cases and reviews of the docs take for granted. */
export const LEARNING_RULES: readonly (readonly [RegExp, Rule])[] = [
  [/ cases test .*release-2/, (world) => ({ cwd: airline(world, 'examples/airline'), codes: [1] })],
  [/ cases test examples/, (world) => ({ cwd: airline(world, 'examples/airline') })],
  [/ cases (test|strength) /, (world) => ({ cwd: airline(world, '.') })],
  [
    / incidents unmerge/,
    async (world) => {
      const given = await incidents(world);
      await world.must('incidents', 'merge', ...Object.values(given.words), '--reason', 'docs');
      return given;
    },
  ],
  [
    / incidents close/,
    async (world) => {
      const given = await incidents(world);
      await world.must(
        'incidents',
        'classify',
        given.words['inc-4f2a91c07b'] ?? '',
        '--mechanism',
        'over_grant',
      );
      // Who classified it without a case does not close it.
      const { sql } = world.services.db;
      await sql.updateTable('incident').set({ classified_by: 'ben' }).execute();
      return given;
    },
  ],
  [/ incidents .*inc-| follow-ups propose .*inc-/, (world) => incidents(world)],
  [/ follow-ups commit/, (world) => followUp(world)],
  [/ follow-ups verify/, (world) => followUp(world, 'commit', 'claim')],
  [/ follow-ups (claim|drop|waive)/, (world) => followUp(world, 'commit')],
  [/ reviews cycle second/, (world) => cycle(world, true)],
  [/ reviews cycle (show|write)/, (world) => cycle(world)],
  [/ reviews .*2026-W47/, (world) => page(world)],
];
