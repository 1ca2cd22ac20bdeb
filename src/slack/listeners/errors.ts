import { z } from 'zod';
import { SlackFailure } from '../../cards/posting/failure.ts';
import { isStoreDown } from '../../db/failure.ts';
import { AppError } from '../../errors.ts';
import { wordsFor } from '../words.ts';
import type { ListenerDeps } from './deps.ts';

/** As much of any payload as is needed to answer the person it is from. */
const bodySchema = z.object({
  user: z.object({ id: z.string() }).optional().catch(undefined),
  user_id: z.string().optional().catch(undefined),
  channel: z.object({ id: z.string() }).optional().catch(undefined),
  channel_id: z.string().optional().catch(undefined),
  response_url: z.string().optional().catch(undefined),
  view: z.object({ private_metadata: z.string().optional() }).optional().catch(undefined),
});
type Body = z.infer<typeof bodySchema>;
/** Every modal that is opened from a channel carries it. */
const metaSchema = z.object({ channel: z.string().min(1) });

const ANSWER_WITHIN_MS = 5_000;

/** Where every failure of a listener ends: the person is told what became of their word. */
export async function answerPerson(deps: ListenerDeps, error: Error, payload: unknown): Promise<void> {
  const cause = original(error);
  noteFailure(deps, cause);
  const parsed = bodySchema.safeParse(payload);
  if (!parsed.success) return;
  const text = wordsFor(cause);
  try {
    if (!(await byResponseUrl(parsed.data, text))) await byMessage(deps, parsed.data, text);
  } catch (failure) {
    deps.services.log.error({ err: failure }, 'the person could not be told');
  }
}

/** Logs what is neither a refusal nor an outage that is told anyway. */
export function noteFailure({ services }: ListenerDeps, error: unknown): void {
  if (error instanceof AppError || error instanceof SlackFailure || isStoreDown(error)) return;
  services.log.error({ err: error }, 'a Slack listener failed');
}

/** Bolt wraps what a listener threw. */
const original = (error: Error): unknown => ('original' in error && error.original ? error.original : error);

async function byResponseUrl({ response_url }: Body, text: string): Promise<boolean> {
  if (!response_url) return false;
  const response = await fetch(response_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text }),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch(() => undefined);
  return response?.ok ?? false;
}

/** A modal has no response URL: the channel it was opened from, else a direct message. */
async function byMessage({ client }: ListenerDeps, body: Body, text: string): Promise<void> {
  const user = body.user?.id ?? body.user_id;
  if (!user) return;
  const channel = body.channel?.id ?? body.channel_id ?? channelOfView(body.view?.private_metadata);
  if (channel) {
    const shown = await client.chat.postEphemeral({ channel, user, text }).catch(() => undefined);
    if (shown?.ok) return;
  }
  await client.chat.postMessage({ channel: user, text });
}

function channelOfView(metadata: string | undefined): string | undefined {
  try {
    return metaSchema.parse(JSON.parse(metadata ?? '')).channel;
  } catch {
    return undefined;
  }
}
