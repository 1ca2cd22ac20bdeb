import { type ArgsChange, describeChange } from '../domain/decision/args-diff.ts';
import { actionUrl } from '../links.ts';
import { nameOf } from './action-state.ts';
import { dateText, inline, link } from './blocks/mrkdwn.ts';
import type { CardFacts } from './card-facts.ts';

const LISTED_MAX = 10;
const CHANGE_MAX = 160;
const LINE_MAX = 200;
const EDITS_MAX = 3;
const REASON_MAX = 200;

const WORDS: Readonly<Record<ArgsChange['sign'], string>> = { '+': 'new', '-': 'gone', '~': 'changed' };

/** How it differs from the last one like it, a line each; nothing once the arguments are erased. */
export function likeLines({ action, args, last, publicUrl }: CardFacts): string[] {
  if (args === undefined) return [];
  if (!last) return ['*First of its kind:* nothing like it went ahead before (same agent, tool and segment)'];
  const one = link(actionUrl(publicUrl, last.id), 'the last one like it');
  const told = `${last.state} ${dateText(last.at)}${last.wrong ? ', *reported as wrong*' : ''}`;
  if (last.changes.length === 0) return [`*Same arguments* as ${one} (${told})`];
  return [
    `*Different from ${one}* (${told}):`,
    ...changeLines(last.changes, actionUrl(publicUrl, action.id)),
  ];
}

/** Who edited the arguments, why, and what that changed of what the agent asked. */
export function editLines(facts: CardFacts): string[] {
  const { action, edits, edited, lapsed, publicUrl } = facts;
  if (action.round === 0) return [];
  const url = actionUrl(publicUrl, action.id);
  const earlier = edits.length - EDITS_MAX;
  const told = edits.slice(-EDITS_MAX).map(({ editor, at, via, reason }) => {
    const why = reason ? `: “${inline(reason, REASON_MAX)}”` : '';
    return `*Edited* by ${nameOf(facts, editor)} ${dateText(at)} (${via})${why}`;
  });
  const before = lapsed === 1 ? '1 approval' : `${lapsed} approvals`;
  return [
    ...(earlier > 0 ? [`Edited ${earlier} times before that`] : []),
    ...told,
    ...(lapsed > 0 ? [`${before} of the arguments before that do not count any more`] : []),
    ...(edited === undefined ? ['What it was before is not kept any more'] : whatChanged(edited, url)),
  ];
}

function whatChanged(edited: readonly ArgsChange[], url: string): string[] {
  return edited.length === 0
    ? ['The arguments are what the agent asked for again']
    : ['Against what the agent asked:', ...changeLines(edited, url)];
}

function changeLines(changes: readonly ArgsChange[], url: string): string[] {
  const shown = changes.slice(0, LISTED_MAX).map((change) => {
    const [, ...text] = describeChange(change, CHANGE_MAX).split(' ');
    return `• ${WORDS[change.sign]} ${inline(text.join(' '), LINE_MAX)}`;
  });
  const more = changes.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more: ${link(url, 'open the page')}`] : [])];
}
