import { BUTTON } from './buttons.ts';
import { LIMITS } from './limits.ts';
import { type Button, button } from './message.ts';
import { label } from './mrkdwn.ts';

/** Opens a page about something; none where Slack does not take the address. */
export function openButton(
  name: string,
  url: string,
  about: string,
  style?: NonNullable<Button['style']>,
): Button | undefined {
  if (url.length > LIMITS.url || !/^https?:\/\/\S+$/.test(url)) return undefined;
  const look = style === undefined ? {} : { style };
  return button(BUTTON.open, name, { url, ...look, accessibility_label: spoken(name, about) });
}

/** What is read aloud instead of a button's text: what it does, and to what. */
export const spoken = (verb: string, what: string): string =>
  `${verb}: ${label(what, LIMITS.accessibilityLabel - verb.length - 2)}`;
