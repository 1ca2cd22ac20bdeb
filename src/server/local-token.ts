import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ROLES } from '../actor.ts';
import { personFrom } from '../domain/agent.ts';
import { startLoop } from '../loop.ts';
import type { Services } from '../services.ts';
import { insertToken } from '../tokens/tokens.ts';
import type { Making } from './parts.ts';

const RENEWED_EVERY_MS = 12 * 3_600_000;

/**
 * Whoever can read the data folder owns the service anyway: its CLI gets a token with every role, for a day, renewed
 * while the service runs.
 */
export async function keepLocalToken(
  { config, stops }: Pick<Making, 'config' | 'stops'>,
  services: Services,
  place: { url: string; switchUrl?: string | undefined },
): Promise<{ file: string; tokenId: string }> {
  const person = personFrom(userInfo().username);
  const file = join(config.dataFolder, 'token');
  const write = async () => {
    const now = services.clock.now();
    const { id, token } = await insertToken(services.db.sql, now, 'embedded start', { roles: ROLES, person });
    writeFileSync(file, `${JSON.stringify({ ...place, token })}\n`, { mode: 0o600 });
    return id;
  };
  const tokenId = await write();
  let first = true;
  const renewal = startLoop(
    'local token',
    RENEWED_EVERY_MS,
    async () => {
      if (!first) await write();
      first = false;
    },
    services.log,
  );
  stops.push(renewal.stop);
  return { file, tokenId };
}
