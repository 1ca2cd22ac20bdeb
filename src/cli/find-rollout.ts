import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';
import type { RolloutSummary, WireRollout } from './wire.ts';

const byId = (cli: Cli, id: string): Promise<WireRollout> =>
  cli.api.get<WireRollout>(`/v1/rollouts/${encodeURIComponent(id)}`);

/** The one whose id begins or ends like this: `3f9ac1` of `my-agent-2-3f9ac1`. @throws CliError `usage` if several do */
async function onlyLike(cli: Cli, part: string): Promise<RolloutSummary | undefined> {
  const { rollouts } = await cli.api.get<{ rollouts: RolloutSummary[] }>('/v1/rollouts');
  const like = rollouts.filter(({ id }) => id.startsWith(part) || id.endsWith(`-${part}`));
  if (like.length < 2) return like[0];
  throw new CliError('usage', `"${part}" may mean any of ${like.map(({ id }) => id).join(', ')}`, {
    hint: 'Write more of it',
  });
}

/**
 * By its id, else of an agent the first that fits (the open one, then the newest), else the agent's newest, else by a part of its id.
 * @throws CliError `usage`
 */
export async function findRollout(
  cli: Cli,
  which: string,
  fits: (rollout: RolloutSummary) => boolean = () => true,
): Promise<WireRollout> {
  try {
    return await byId(cli, which);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'not_found') throw error;
    const { rollouts } = await cli.api.get<{ rollouts: RolloutSummary[] }>('/v1/rollouts', { agent: which });
    const found = rollouts.find(fits) ?? rollouts[0] ?? (await onlyLike(cli, which));
    if (found) return byId(cli, found.id);
    throw new CliError('usage', `There is no rollout "${which}", and none of an agent of that name`, {
      code: error.code,
      hint: 'portcullis rollout status lists them; portcullis rollout start <agent> <release> starts one',
    });
  }
}
