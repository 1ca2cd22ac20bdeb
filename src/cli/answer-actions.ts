import type { Cli } from './cli.ts';
import { wholeNumber } from './cli.ts';
import { CliError } from './failure.ts';
import { shortId, wholeIds } from './ids.ts';
import { actionText } from './text/action-text.ts';
import { answersText, preflightText, stands } from './text/approvals-text.ts';
import type { WireAction, WireAnswer, WireDecided } from './wire.ts';

const AT_ONCE_MAX = 50;
const FETCHED_TOGETHER = 5;

export interface AnswerOptions {
  reason?: string;
  yes?: boolean;
  like?: boolean;
  digest?: string;
  breakGlass?: boolean;
  standing?: string;
  times: string;
  for: string;
}

export const actionPath = (id: string): string => `/v1/actions/${encodeURIComponent(id)}`;

/** Shows the actions, asks, and answers exactly what was shown, each by its id, digest and revision. */
export async function answerActions(
  cli: Cli,
  verdict: 'approve' | 'deny',
  ids: readonly string[],
  options: AnswerOptions,
): Promise<void> {
  if (options.standing !== undefined) wholeNumber('--times', options.times);
  const seen = await seenActions(cli, await wholeIds(cli, 'action', ids), options.like ?? false);
  const { breakGlass, standing, digest } = options;
  const alone = breakGlass || standing !== undefined || digest !== undefined;
  if (alone && seen.length > 1)
    throw new CliError('usage', '--break-glass, --standing and --digest are about one action', {
      hint: 'Name one id, without --like',
    });
  const { columns, now } = cli.io;
  const [one] = seen;
  if (one && digest !== undefined && digest !== one.argsDigest)
    throw new CliError('refused', `Cannot ${verdict}: the arguments are not those of digest ${digest}`, {
      code: 'seen_outdated',
      hint: `Look at it again: portcullis action show ${shortId(one.id)}`,
    });
  cli.note(
    `${seen.length === 1 && one ? actionText(one, now(), columns) : preflightText(seen, now(), columns)}\n`,
  );
  if (!options.yes && !(await cli.ask(questionOf(verdict, seen.length, options), 'Add --yes')))
    throw new CliError('refused', 'Nothing was decided');
  const results =
    seen.length === 1 && one
      ? [await answerOne(cli, verdict, one, options)]
      : await answerAll(cli, verdict, seen, options);
  if (results.some((result) => !stands(result, verdict))) cli.exit = 'refused';
  cli.print({ results }, () => answersText(results, verdict, columns));
}

/** Named ids and, with `like`, whatever waits and is like one of them; with arguments. */
async function seenActions(cli: Cli, ids: readonly string[], like: boolean): Promise<WireAction[]> {
  const wanted = new Set(ids);
  if (like) {
    for (const id of ids) {
      const { actions } = await cli.api.get<{ actions: WireAction[] }>(`${actionPath(id)}/like`);
      for (const action of actions) wanted.add(action.id);
    }
  }
  if (wanted.size > AT_ONCE_MAX)
    throw new CliError('usage', `Cannot answer ${wanted.size} at once: at most ${AT_ONCE_MAX}`, {
      hint: 'Name fewer, and look at the rest afterwards',
    });
  return lookAt(cli, [...wanted]);
}

/** The actions with their arguments, in the order of the ids. */
export async function lookAt(cli: Cli, ids: readonly string[]): Promise<WireAction[]> {
  const seen: WireAction[] = [];
  for (let at = 0; at < ids.length; at += FETCHED_TOGETHER) {
    const some = ids.slice(at, at + FETCHED_TOGETHER);
    seen.push(...(await Promise.all(some.map((id) => cli.api.get<WireAction>(actionPath(id))))));
  }
  return seen;
}

function questionOf(verdict: 'approve' | 'deny', count: number, options: AnswerOptions): string {
  const what = count === 1 ? 'this' : `all ${count}`;
  if (verdict === 'deny') return `Deny ${what}?`;
  if (options.breakGlass) return 'Approve this ALONE? Everybody is told, and somebody else reviews it.';
  if (options.standing !== undefined)
    return `Approve this, and up to ${options.times} like it (${options.standing}) in the next ${options.for}?`;
  return `Approve ${what}?`;
}

async function answerOne(
  cli: Cli,
  verdict: 'approve' | 'deny',
  { id, argsDigest: digest, revision }: WireAction,
  { reason, breakGlass, standing, times, for: time }: AnswerOptions,
): Promise<WireAnswer> {
  const decided = await cli.api.post<WireDecided>(`${actionPath(id)}/decisions`, {
    verdict,
    digest,
    revision,
    reason,
    ...(breakGlass && { breakGlass }),
    ...(standing !== undefined && {
      standing: { envelope: standing, maxUses: Number(times), for: time },
    }),
  });
  return { id, counted: decided.counted, state: decided.state };
}

async function answerAll(
  cli: Cli,
  verdict: 'approve' | 'deny',
  seen: readonly WireAction[],
  { reason }: AnswerOptions,
): Promise<WireAnswer[]> {
  const items = seen.map(({ id, argsDigest: digest, revision }) => ({ id, digest, revision }));
  const { results } = await cli.api.post<{ results: WireAnswer[] }>('/v1/approvals/batch', {
    verdict,
    items,
    reason,
  });
  return results;
}
