import { readConfig } from '../src/config.ts';
import { startPortcullis } from '../src/server.ts';
import { givenAdopted, givenRelease, givenToken } from '../test/support/fixtures.ts';
import { agents, agentYaml, releaseYaml, tierOf } from './many.ts';

/** The service in a process of its own with the world of many agents; asked by messages what it has used. */
const running = await startPortcullis(readConfig(process.env, ['api', 'background']));
const { services } = running;
const tokens: Record<string, string> = {};
for (const [n, name] of agents.entries()) {
  const first = { agentYaml: agentYaml(name), releaseYaml: releaseYaml(name, 1, 'desk') };
  const { agent } = await givenAdopted(services, first);
  await givenRelease(services, agent, releaseYaml(name, 2, 'none'));
  const { token } = await givenToken(services, 'agent', { agent: name, attributes: { tier: tierOf(n) } });
  tokens[name] = token;
}
// As after its rollout, which takes weeks: writes run unasked.
await services.db.sql.updateTable('in_force').set({ release: '2' }).execute();
process.on('message', () => process.send?.(process.cpuUsage()));
process.once('disconnect', () => void running.stop().finally(() => process.exit(0)));
process.send?.({ url: running.url, tokens });
