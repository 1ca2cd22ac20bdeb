import type { ActionView } from '../../actions/action-view.ts';
import { lastLike } from '../../approvals/alike.ts';
import { type ArgsChange, describeChange, diffRedacted } from '../../domain/decision/args-diff.ts';
import { REDACTED, redactionsOf } from '../../domain/decision/redact.ts';
import { type ActionRow, privateOf } from '../../records/action.ts';
import { toolAsAsked } from '../../records/args.ts';
import { manifestOf } from '../../records/manifest.ts';
import type { Services } from '../../services.ts';
import { type Html, html } from './html.ts';
import { stateWords, timeWords } from './words.ts';

const CHANGE_MAX = 500;

type Args = Readonly<Record<string, unknown>>;

/** What differs: what each change of the arguments did, and the last action like it. */
export async function changesOf(
  services: Services,
  action: ActionRow,
  { edits }: Pick<ActionView, 'edits'>,
): Promise<Html | undefined> {
  const { sql } = services.db;
  const args = await argsOf(services, action.id);
  if (!args) return undefined;
  const agent = await manifestOf(sql, action.agent);
  const last = await lastLike(sql, action);
  // Of two actions as much is hidden as of either.
  const hidden = [...action.redact, ...(last?.redact ?? [])];
  const tool = toolAsAsked(agent, { ...action, redact: hidden });
  // Without its manifest nothing of a tool may be shown.
  if (!tool) return undefined;
  const redactions = redactionsOf(tool);
  const now = services.clock.now();
  const befores = edits.length > 0 ? await argsBefore(services, action.id) : new Map<number, Args>();
  const lastArgs = last && (await argsOf(services, last.id));
  return html`${edits.map(({ person, at, round, reason }) => {
    const [before, after] = [befores.get(round), befores.get(round + 1) ?? args];
    return html`<h2>What ${person} changed</h2>
<p class="meta">${timeWords(at, now)}${reason && `: ${reason}`}</p>
${before && changeList(diffRedacted(before, after, redactions))}`;
  })}
<h2>Against the last one like it</h2>
${
  last && lastArgs
    ? html`<p><a href="/actions/${last.id}">${last.summary}</a>, ${lastWords(last)}</p>
${changeList(diffRedacted(lastArgs, args, redactions))}`
    : html`<p class="meta">The first of its kind.</p>`
}`;
}

const lastWords = ({ state, decided_at }: ActionRow): string =>
  stateWords({ state, ...(decided_at && { decidedAt: decided_at.toISOString() }) }).toLowerCase();

/** The differences as people may see them; of a redacted value that it changed, no more. */
export const changeList = (list: readonly ArgsChange[], max = CHANGE_MAX): Html =>
  list.length === 0
    ? html`<p class="meta">The same arguments.</p>`
    : html`<ul class="changes">${list.map((change) => html`<li><code>${changeText(change, max)}</code></li>`)}</ul>`;

const changeText = (change: ArgsChange, max: number): string =>
  change.before === REDACTED && change.after === REDACTED
    ? `~ ${change.path}: ${REDACTED}, and another value than before`
    : describeChange(change, max);

/** Not to be shown as they are. */
async function argsOf({ db }: Services, id: string): Promise<Args | undefined> {
  const kept = await privateOf(db.sql, id);
  return kept && JSON.parse(kept.args);
}

/** The arguments before the change of each round. */
async function argsBefore({ db }: Services, id: string): Promise<Map<number, Args>> {
  const rows = await db.sql
    .selectFrom('action_edit')
    .select(['round', 'args_before'])
    .where('action_id', '=', id)
    .execute();
  return new Map(
    rows.flatMap(({ round, args_before }) => (args_before ? [[round, JSON.parse(args_before) as Args]] : [])),
  );
}
