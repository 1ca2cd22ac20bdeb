import { escapeMarkup } from '../../domain/markup.ts';
import { spellUnseen } from '../../domain/unseen.ts';

/** Markup that is safe as it stands. Only `html` makes it. */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** Everything put into the template is escaped, unless it is markup already. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.map((part, index) => part + render(values[index])).join(''));
}

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeHtml(String(value));
}

/** Text for element content and quoted attributes; what cannot be seen is spelled out. */
export const escapeHtml = (text: string): string => escapeMarkup(visible(text));

const LINE_FEED = 10;

/** An agent must not be able to dress up what people approve: line breaks stay, the rest is spelled out. */
export const visible = (
  text: string,
  spell = (codePoint: number) => `\\u{${codePoint.toString(16)}}`,
): string => spellUnseen(text, (codePoint) => (codePoint === LINE_FEED ? '\n' : spell(codePoint)));
