import type { Agent } from '../domain/agent.ts';
import type { Release } from '../domain/release.ts';
import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';

/**
 * The release that the files hold, and its agent: the one beside it, else the one that is applied (`isStored`).
 * @throws CliError `usage` where they hold no release, or several
 */
export async function oneRelease(
  cli: Cli,
  files: readonly string[],
  hint: string,
): Promise<{ release: Release; agent: Agent; isStored: boolean }> {
  const { readManifests } = await import('./manifests.ts');
  const { lookUpAgent } = await import('./apply-manifests.ts');
  let stored: Agent | undefined;
  const { agents, releases } = await readManifests(files, cli.io.cwd, async (name) => {
    stored = await lookUpAgent(cli.api, name);
    return stored;
  });
  const release = releases[0]?.value;
  const agent = agents[0]?.value ?? stored;
  if (release === undefined || agent === undefined || releases.length > 1 || agents.length > 1)
    throw new CliError('usage', 'Give the manifest of one release, and of its agent if it is not applied', {
      hint,
    });
  return { release, agent, isStored: agents.length === 0 };
}
