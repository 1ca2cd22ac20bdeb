import type { BlockAction, ButtonAction, OverflowAction, RespondFn, types, webApi } from '@slack/bolt';
import { section } from '../../cards/blocks/message.ts';
import { keepCopy, refreshCopy } from '../../cards/copies.ts';
import type { SlackPort } from '../../cards/posting/port.ts';
import type { Copy } from '../../records/copy.ts';
import type { Services } from '../../services.ts';
import type { SlackDirectory, SlackPerson } from '../identity.ts';

/** What every listener is given. */
export interface ListenerDeps {
  services: Services;
  slack: SlackPort;
  client: webApi.WebClient;
  directory: SlackDirectory;
}

export type ButtonClick = BlockAction<ButtonAction>;
export type MenuClick = BlockAction<OverflowAction>;
/** Anything pressed or chosen in a message or Home tab. */
export type Click = ButtonClick | MenuClick;
export type View = types.ModalView;

/** Who acts, in which workspace, and where that user is at home: in an organization these may be two. */
export const personOf = (body: {
  user: { id: string; team_id?: string };
  team?: { id: string } | null;
}): SlackPerson => ({
  userId: body.user.id,
  teamId: body.team?.id ?? body.user.team_id ?? '',
  ...(body.user.team_id === undefined ? {} : { homeTeamId: body.user.team_id }),
});

/** The message a button stands in. */
export function copyOf(body: Click): Copy | undefined {
  const { channel_id: channel, message_ts: ts } = body.container;
  return typeof channel === 'string' && typeof ts === 'string' ? { channel, ts } : undefined;
}

/** The message a modal was opened from, as its metadata tells. */
export const copyIn = ({ channel, ts }: Copy): Copy | undefined => (ts === '' ? undefined : { channel, ts });

/** Tells one person, beside the message, without touching it. */
export const tell = (respond: RespondFn, text: string) =>
  respond({ response_type: 'ephemeral', replace_original: false, text });

/** Everybody who sees a message sees who acted on it. It is done already: a Slack that does not answer undoes nothing. */
export async function tellThread(
  { slack, services }: ListenerDeps,
  copy: Copy | undefined,
  text: string,
): Promise<void> {
  if (!copy) return;
  try {
    await slack.post(copy.channel, { text, blocks: [section('done', text)] }, copy);
  } catch (error) {
    services.log.warn({ err: error }, 'who acted on an alert could not be posted');
  }
}

/** Shows on the clicked copy what is true now; the other copies follow by the workflow. False: it could not be shown. */
export async function refreshClicked(
  { services, slack }: ListenerDeps,
  id: string,
  copy: Copy | undefined,
): Promise<boolean> {
  if (!copy) return false;
  try {
    await keepCopy(services, id, copy, 0);
    await refreshCopy(services, slack, id, copy);
    return true;
  } catch (error) {
    services.log.warn({ err: error, action: id }, 'the clicked card could not be updated; the workflow will');
    return false;
  }
}
