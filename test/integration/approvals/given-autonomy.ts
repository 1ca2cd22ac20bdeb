import type { Slice } from '../../../src/autonomy/store.ts';
import { closeGateFor } from '../../../src/records/gate.ts';
import type { Services } from '../../../src/services.ts';

/** What earns at the bank. */
export const SLICE: Slice = {
  agent: 'desk',
  release: '1',
  grant: 'pay-1',
  tool: 'pay',
  segment: 'default',
  agentVersion: '1.0.0',
};

/** The slice in a state that the judge might have left it in, without the forty writes behind it. */
export async function givenAutonomy(
  services: Services,
  state: 'proposed' | 'allow',
  slice = SLICE,
): Promise<void> {
  const row = {
    state,
    evidence: JSON.stringify({
      decided: 40,
      good: 40,
      bad: 0,
      lower: '0.832000',
      above: '0.8',
      alpha: '0.05',
    }),
    changed_at: services.clock.now(),
    changed_by: 'judge',
  };
  const { agent, release, grant: grant_name, tool, segment, agentVersion: agent_version } = slice;
  await closeGateFor(services, async (tx) => {
    await tx
      .insertInto('autonomy')
      .values({ agent, release, grant_name, tool, segment, agent_version, ...row })
      .onConflict((conflict) =>
        conflict
          .columns(['agent', 'release', 'grant_name', 'tool', 'segment', 'agent_version'])
          .doUpdateSet(row),
      )
      .execute();
  });
}
