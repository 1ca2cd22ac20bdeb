import type { ApiClient } from '../client.ts';
import type { WireGroup } from '../commands/group.ts';
import { CliError } from '../failure.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Approver groups whose people come from Slack or a schedule: one that is stale lets nobody approve. */
export async function checkGroups(api: ApiClient): Promise<Check[]> {
  const groups = (await readGroups(api)).filter(({ source }) => source !== 'manifest');
  const checks = groups.flatMap((group) => checkGroup(group));
  if (groups.length === 0 || checks.length > 0) return checks;
  const many = groups.length === 1 ? 'one group was' : `all ${groups.length} were`;
  return [ok('approver groups', `from Slack or a schedule: ${many} read, with somebody in it now`)];
}

type AgentGroup = WireGroup & { agent: string };

function checkGroup({ agent, group, stale, error, members, unknown }: AgentGroup): Check[] {
  const name = `group ${group} of ${agent}`;
  const look = `See portcullis group list ${agent}`;
  const why = error ?? 'it was not read yet: a process with the role worker reads it';
  if (stale) return [fail(name, `is stale, nobody of it may approve: ${why}`, look)];
  if (error) return [warn(name, `could not be read the last time: ${error}`, look)];
  if (members.length === 0) {
    const detail = `nobody is in it now${unknown.length > 0 ? ` who is known: it names ${unknown.join(', ')}` : ''}`;
    return [warn(name, detail, 'Check the schedule or the user group, and the people of the manifest')];
  }
  if (unknown.length === 0) return [];
  const mend = `Add them to the people of ${agent} with that e-mail address or Slack id, or leave it so`;
  return [warn(name, `names some who do not count: ${unknown.join(', ')}`, mend)];
}

/** Empty where the service cannot be asked: that is a finding of its own. */
async function readGroups(api: ApiClient): Promise<AgentGroup[]> {
  try {
    const { agents } = await api.get<{ agents: { agent: string }[] }>('/v1/agents');
    const all = agents.map(async ({ agent }) => {
      const path = `/v1/agents/${encodeURIComponent(agent)}/groups`;
      const { groups } = await api.get<{ groups: WireGroup[] }>(path);
      return groups.map((group) => ({ ...group, agent }));
    });
    return (await Promise.all(all)).flat();
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
