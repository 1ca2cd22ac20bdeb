import type { ApiClient } from '../client.ts';
import { CliError } from '../failure.ts';
import type { WireAgent } from '../wire.ts';
import { type Check, ok, warn } from './check.ts';

/** Agents that want to be told by webhook, and nothing to sign it with: then nothing is sent. */
export async function checkCallbacks(api: ApiClient, webhookSecret: string | undefined): Promise<Check[]> {
  const name = 'webhooks';
  if (webhookSecret) return [ok(name, 'signed with PORTCULLIS_WEBHOOK_SECRET')];
  const waiting = await agentsWithUrl(api);
  if (waiting.length === 0) return [];
  const detail = `${waiting.join(', ')} ${waiting.length === 1 ? 'has' : 'have'} a callback or webhook url, and PORTCULLIS_WEBHOOK_SECRET is not set here: unsigned nothing is sent`;
  return [
    warn(name, detail, 'Set it, here and where the role worker runs, to at least 16 random characters'),
  ];
}

/** Empty where the service cannot be asked: that is a finding of its own. */
async function agentsWithUrl(api: ApiClient): Promise<string[]> {
  try {
    const { agents } = await api.get<{ agents: { agent: string }[] }>('/v1/agents');
    const all = await Promise.all(
      agents.map(({ agent }) => api.get<WireAgent>(`/v1/agents/${encodeURIComponent(agent)}`)),
    );
    return all.flatMap(({ agent, manifest }) => ((manifest.callback ?? manifest.webhook) ? [agent] : []));
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
