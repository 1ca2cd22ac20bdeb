import { actionPath } from './answer-actions.ts';
import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';
import { wholeId } from './ids.ts';
import { jsonObject } from './input.ts';
import { changesText } from './text/approvals-text.ts';
import { formatRelative } from './text/format.ts';
import { fields, paragraph, sections } from './text/render.ts';
import type { WireAction } from './wire.ts';

const CHANGE_LENGTH_MAX = 2_000;

export interface EditOptions {
  args?: string;
  reason?: string;
  yes?: boolean;
}

/** Shows what would be different, asks, and changes exactly what was shown. */
export async function editAction(cli: Cli, given: string, { args, reason, yes }: EditOptions): Promise<void> {
  const id = await wholeId(cli, 'action', given);
  const seen = await cli.api.get<WireAction>(actionPath(id));
  if (!seen.args)
    throw new CliError(
      'refused',
      `Cannot edit action ${id}: its arguments are erased, or not for you to see`,
    );
  const edited = await editedArgs(cli, seen, args);
  const { describeChange, diffArgs } = await import('../domain/decision/args-diff.ts');
  const changes = diffArgs(seen.args, edited).map((change) => describeChange(change, CHANGE_LENGTH_MAX));
  if (changes.length === 0) throw new CliError('refused', 'Nothing is different: nothing was changed');
  cli.note(`${seen.summary}\n\n${changesText(changes, cli.io.columns)}\n`);
  if (!yes && !(await cli.ask('Change this? You cannot approve it afterwards.', 'Add --yes')))
    throw new CliError('refused', 'Nothing was changed');
  const changed = await cli.api.post<WireAction>(`${actionPath(id)}/edits`, {
    args: edited,
    digest: seen.argsDigest,
    revision: seen.revision,
    reason,
  });
  cli.print(changed, () => changedText(changed, cli.io.now(), cli.io.columns));
}

/** As given, or as saved in the editor. Redacted values stay marked, and stay what they were. */
async function editedArgs(
  cli: Cli,
  { summary, args }: WireAction,
  given: string | undefined,
): Promise<Record<string, unknown>> {
  if (given !== undefined) return jsonObject('--args', given, cli.io.cwd);
  if (!cli.io.interactive)
    throw new CliError('usage', 'Cannot open an editor: there is no terminal', {
      hint: `Add --args '{...}' or --args @file`,
    });
  const text = await cli.io.edit(`Arguments of: ${summary}`, `${JSON.stringify(args, null, 2)}\n`);
  return jsonObject('the edited text', text.trim(), cli.io.cwd);
}

function changedText(
  { summary, risk, approval, argsDigest, expiresAt }: WireAction,
  now: Date,
  width: number,
): string {
  return sections(
    paragraph(`Changed: ${summary}`, width),
    paragraph('The count begins anew, and whoever changed it cannot approve it.', width),
    fields(
      [
        ['Risk', risk],
        ['Asks', approval?.group],
        ['Expires', expiresAt && formatRelative(expiresAt, now)],
        ['Digest', argsDigest],
      ],
      width,
    ),
  );
}
