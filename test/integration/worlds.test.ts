import { expect, test } from 'vitest';
import { Worlds } from '../../src/enforcement/world.ts';
import { AGENT_YAML, givenAdopted, RELEASE_YAML } from '../support/fixtures.ts';
import { describeWithServices } from '../support/services.ts';

const AGENTS = ['one', 'two', 'three', 'four', 'five'];

describeWithServices('the worlds that are kept', (make) => {
  test('are as many as were asked for, and every agent has its own all the same', async () => {
    const services = await make();
    for (const name of AGENTS)
      await givenAdopted(services, {
        agentYaml: AGENT_YAML.replace('agent: desk', `agent: ${name}`),
        releaseYaml: RELEASE_YAML.replace('agent: desk', `agent: ${name}`),
      });
    const worlds = new Worlds(services.db.sql, 2);
    for (let round = 0; round < 3; round++)
      for (const name of AGENTS) {
        const known = await worlds.get(name);
        expect(known?.agent.agent).toBe(name);
        expect(Object.keys(known?.world.releases ?? {})).toEqual(['1']);
      }
    const five = await worlds.get('five');
    expect(await worlds.get('five')).toBe(five);
    const one = await worlds.get('one');
    await worlds.get('two');
    // It was used longest ago, and is read anew.
    expect(await worlds.get('five')).not.toBe(five);
    expect(await worlds.get('one')).not.toBe(one);
  });
});
