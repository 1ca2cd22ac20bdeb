import canonicalize from 'canonicalize';
import { BATCH_MAX } from '../../approvals/batch.ts';
import type { SideBySide } from '../../approvals/side-by-side.ts';
import { changeList } from './changes-part.ts';
import { type Html, html } from './html.ts';
import { timeWords, wishBounds } from './words.ts';

const ARGS_MAX = 600;
const CHANGE_MAX = 200;
const CHANGES_MAX = 8;

/** Requests that are alike, each with its own box: the first with its arguments, the others with what differs. */
export function groupForm(group: readonly SideBySide[], now: Date, field: Html): Html {
  const [first] = group;
  if (!first) return html``;
  const { tool, agent, segment } = first.action;
  const rows = group.slice(0, BATCH_MAX);
  const id = `g-${first.action.id}`;
  const needed = rows.some(({ action }) => action.approval?.reason === 'required');
  const more = group.length > rows.length && `The first ${rows.length} of ${group.length}. `;
  return html`<h2>${tool} of ${agent}, ${segment ? `segment ${segment}` : 'no segment'} (${group.length})</h2>
<form class="panel" method="post" action="/queue">${field}
<fieldset><legend class="meta">${more}Look at each before you choose it. ${rows.length > 1 && 'From the second on, what differs from the first is shown.'}</legend>
<ul class="rows">${rows.map((row) => rowOf(row, now))}</ul></fieldset>
<label for="${id}">${needed ? 'Reason (approving needs one; denying tells it to the agent)' : 'Reason (denying tells it to the agent)'}</label>
<textarea id="${id}" name="reason" rows="1" maxlength="2000"></textarea>
<div class="buttons"><button class="approve" type="submit" name="verdict" value="approve">Approve the chosen</button>
<button class="deny" type="submit" name="verdict" value="deny">Deny the chosen</button></div>
</form>`;
}

function rowOf({ action, args, changes }: SideBySide, now: Date): Html {
  const { id, revision, args_digest, summary, risk, expires_at, stage, approval } = action;
  const stages = approval?.stages.length ?? 1;
  const facts = [
    `risk ${risk}`,
    expires_at && `decide by ${timeWords(expires_at.toISOString(), now)}`,
    stages > 1 && `stage ${stage + 1} of ${stages}`,
  ].filter(Boolean);
  return html`<li class="choice"><input type="checkbox" name="item" id="${id}" value="${`${id} ${revision} ${args_digest}`}">
<div><label for="${id}">${summary}</label>
<div class="meta">${facts.join(' · ')} · <a href="/actions/${id}" aria-label="Open: ${summary}">open</a></div>
${wishPart(action)}
${changes ? changesPart(changes) : argsPart(args)}
</div></li>`;
}

/** Whoever approves after somebody who wished it agrees to the like of it, too. */
function wishPart({ standing_wish: wish }: SideBySide['action']): Html | undefined {
  if (!wish) return undefined;
  return html`<div><strong>Approving it also approves the like of it</strong>, ${wishBounds(wish)}:
<code>${wish.envelope}</code></div>`;
}

function changesPart(changes: NonNullable<SideBySide['changes']>): Html {
  const more = changes.length - CHANGES_MAX;
  return html`${changeList(changes.slice(0, CHANGES_MAX), CHANGE_MAX)}
${more > 0 && html`<div class="meta">${more} more ${more === 1 ? 'difference' : 'differences'}: open it.</div>`}`;
}

function argsPart(args: SideBySide['args']): Html {
  if (args === undefined) return html`<div class="meta">Its arguments are erased.</div>`;
  const text = canonicalize(args) ?? '';
  if (text.length <= ARGS_MAX) return html`<div><code>${text}</code></div>`;
  return html`<div><code>${text.slice(0, ARGS_MAX).replace(/\p{Surrogate}$/u, '')}…</code></div>
<div class="meta">Cut here: open it to see the rest.</div>`;
}
