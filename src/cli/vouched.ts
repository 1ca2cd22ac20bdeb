import { attributesOf } from './attributes.ts';
import type { Cli } from './cli.ts';
import { ApiClient } from './client.ts';
import { CliError } from './failure.ts';
import type { WireAgent } from './wire.ts';

const LIVES_MS = 120_000;

/**
 * Calls as the agent with trusted attributes. They are worth what a token says and not what a command says, so an
 * admin's token makes one that lives two minutes, and ends it afterwards.
 * @throws CliError `not-allowed` for whoever may not make tokens
 */
export async function withAttributes<T>(
  cli: Cli,
  agent: string,
  given: readonly string[],
  use: (api: ApiClient) => Promise<T>,
): Promise<T> {
  const types = await cli.api.get<WireAgent>(`/v1/agents/${encodeURIComponent(agent)}`).then(
    ({ manifest }) => manifest.attributes,
    (error: unknown) => {
      if (error instanceof CliError && error.exit === 'not-allowed') return undefined;
      throw error;
    },
  );
  const attributes = attributesOf(given, types);
  const expiresAt = new Date(cli.io.now().getTime() + LIVES_MS).toISOString();
  const made = await cli.api
    .post<{ id: string; token: string }>('/v1/tokens', { roles: ['agent'], agent, attributes, expiresAt })
    .catch((error: unknown) => {
      if (!(error instanceof CliError) || error.code !== 'forbidden') throw error;
      throw new CliError('not-allowed', 'Cannot vouch for --attribute: that takes an admin', {
        hint: `Ask with a token of the agent that carries them: portcullis token create --role agent --agent ${agent} ${given.map((one) => `--attribute ${one}`).join(' ')}`,
        code: error.code,
        cause: error,
      });
    });
  try {
    return await use(new ApiClient({ ...cli.connection, token: made.token }));
  } finally {
    // It ends by itself soon: what was answered is not lost for it.
    await cli.api.request('DELETE', `/v1/tokens/${made.id}`).catch(() => {});
  }
}
