import { type Command, Option } from 'commander';
import { type AnswerOptions, actionPath, answerActions, lookAt } from '../answer-actions.ts';
import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { type EditOptions, editAction } from '../edit-action.ts';
import { shortId, wholeId } from '../ids.ts';
import { preflightText, queueText, reviewsText, standingText } from '../text/approvals-text.ts';
import { command, paragraph, sections } from '../text/render.ts';
import { statsText } from '../text/stats-text.ts';
import type { WireAction, WireReview, WireStandingApproval, WireStats } from '../wire.ts';

const ID = '0193a7c4-5e2f';

/** `portcullis approvals`. */
export const registerApprovals: RegisterCommands = (program, cli) => {
  const approvals = program.command('approvals').summary('what waits for you, and how people approve');
  approvals.description('What waits for people, their answers to it, and how they did.');
  registerQueue(approvals, cli);
  registerAnswer(approvals, cli, 'approve');
  registerAnswer(approvals, cli, 'deny');
  registerEdit(approvals, cli);
  registerStanding(approvals, cli);
  registerReviews(approvals, cli);
  registerNumbers(approvals, cli);
};

function registerQueue(approvals: Command, cli: Cli): void {
  const list = approvals
    .command('list')
    .summary('what you may answer now, the oldest first')
    .description('Lists what waits and you may answer now: what, whom it asks, since when and until when.')
    .option('--agent <agent>', 'only of this agent')
    .action(async ({ agent }: { agent?: string }) => {
      const queue = await cli.api.get<{ actions: WireAction[] }>('/v1/approvals/queue', { agent });
      cli.print(queue, () => queueText(queue.actions, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis approvals list');
  const like = approvals
    .command('like')
    .summary('what waits and is like an action, side by side')
    .description(
      'Shows everything that waits and is of the same agent, tool, grant, release and segment, with its arguments.',
    )
    .argument('<id>', 'the action')
    .action(async (given: string) => {
      const id = await wholeId(cli, 'action', given);
      const { actions: found } = await cli.api.get<{ actions: WireAction[] }>(`${actionPath(id)}/like`);
      const actions = await lookAt(
        cli,
        found.map((one) => one.id),
      );
      cli.print({ actions }, () =>
        actions.length === 0
          ? 'Nothing like it waits.'
          : sections(
              preflightText(actions, cli.io.now(), cli.io.columns),
              `Next, all of them:\n${command(`portcullis approvals approve ${shortId(id)} --like`)}`,
            ),
      );
    });
  withExample(like, `portcullis approvals like ${ID}`);
}

function registerAnswer(approvals: Command, cli: Cli, verdict: 'approve' | 'deny'): void {
  const approves = verdict === 'approve';
  const answer = approvals
    .command(verdict)
    .summary(approves ? 'approve one or several' : 'deny one or several')
    .description(
      `Shows the actions with their arguments, asks, and ${approves ? 'approves' : 'denies'} exactly what was shown, each by its own id. Exit code 1 when one of them was not ${approves ? 'approved' : 'denied'}.`,
    )
    .argument('<id...>', 'the actions')
    .addOption(
      new Option('--reason <text>', 'why; the agent and the log get it').makeOptionMandatory(!approves),
    )
    .option('--like', 'also whatever waits and is like them')
    .option('--digest <digest>', 'one only, if its arguments are still those seen before (see action show)')
    .option('--yes', 'do not ask');
  if (approves) {
    answer
      .option(
        '--standing <cel>',
        "approve the like for a while, too: CEL over args, such as 'args.amount <= 50'",
      )
      .option('--times <n>', 'with --standing: so many at most', '5')
      .option('--for <duration>', 'with --standing: for so long at most (1m to 24h)', '1h')
      .option(
        '--break-glass',
        'alone, in an emergency: everybody is told, and it is reviewed; needs --reason',
      );
  }
  answer.action((ids: string[], options: AnswerOptions) => answerActions(cli, verdict, ids, options));
  if (approves)
    withExample(
      answer,
      `portcullis approvals approve ${ID} --like`,
      `portcullis approvals approve ${ID} --standing 'args.amount <= 50' --times 5 --for 1h`,
      `portcullis approvals approve ${ID} --break-glass --reason "The hotel burns"`,
    );
  else withExample(answer, `portcullis approvals deny ${ID} --reason "Wrong address"`);
}

function registerEdit(approvals: Command, cli: Cli): void {
  const edit = approvals
    .command('edit')
    .summary('change the arguments of an action that waits')
    .description(
      'Opens the arguments in your editor ($VISUAL, $EDITOR), shows what is different, and asks. Values shown as [redacted] stay what they were. The count of approvals begins anew, and whoever edits cannot approve.',
    )
    .argument('<id>', 'the action')
    .option('--args <json>', 'all of them, as they shall be, or @file: no editor')
    .option('--reason <text>', 'why')
    .option('--yes', 'do not ask')
    .action((id: string, options: EditOptions) => editAction(cli, id, options));
  withExample(
    edit,
    `portcullis approvals edit ${ID}`,
    `portcullis approvals edit ${ID} --args '{"amount": 20}' --reason "The rest is due in May"`,
  );
}

function registerStanding(approvals: Command, cli: Cli): void {
  const standing = approvals.command('standing').summary('what was approved for a while');
  standing.description(
    'Standing approvals: the like of an action, so many times, for so long. Given with approvals approve --standing.',
  );
  const list = standing
    .command('list')
    .summary('those that count now')
    .description('Lists standing approvals that count now, the latest first.')
    .option('--agent <agent>', 'only of this agent')
    .option('--all', 'also those that ended, and why')
    .action(async ({ agent, all }: { agent?: string; all?: boolean }) => {
      const query = { agent, live: all ? undefined : true };
      const found = await cli.api.get<{ standingApprovals: WireStandingApproval[] }>(
        '/v1/standing-approvals',
        query,
      );
      cli.print(found, () => standingText(found.standingApprovals, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis approvals standing list --agent my-agent');
  const revoke = standing
    .command('revoke')
    .summary('take one back, at once')
    .description('Takes a standing approval back: once it is answered, no write begins by it.')
    .argument('<id>', 'the standing approval')
    .requiredOption('--reason <text>', 'why')
    .action(async (id: string, { reason }: { reason: string }) => {
      const path = `/v1/standing-approvals/${await wholeId(cli, 'standing_approval', id)}/revoke`;
      const revoked = await cli.api.post<WireStandingApproval>(path, { reason });
      cli.print(revoked, () => standingText([revoked], cli.io.now(), cli.io.columns));
    });
  withExample(revoke, `portcullis approvals standing revoke ${ID} --reason "The discount is over"`);
}

function registerReviews(approvals: Command, cli: Cli): void {
  const reviews = approvals
    .command('reviews')
    .summary('approvals given alone that nobody has reviewed')
    .description('Lists broken glass: approvals that one person gave alone and nobody has reviewed yet.')
    .option('--agent <agent>', 'only of this agent')
    .action(async ({ agent }: { agent?: string }) => {
      const found = await cli.api.get<{ reviews: WireReview[] }>('/v1/approvals/reviews', { agent });
      cli.print(found, () => reviewsText(found.reviews, cli.io.now(), cli.io.columns));
    });
  withExample(reviews, 'portcullis approvals reviews');
  const review = approvals
    .command('review')
    .summary('say whether an approval given alone was justified')
    .description(
      'A second person’s word on broken glass, once: an owner, a release manager or an auditor, not whoever broke it.',
    )
    .argument('<id>', 'the action')
    .addOption(
      new Option('--justified <answer>', 'was it right to approve alone')
        .choices(['yes', 'no'])
        .makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'what you found')
    .action(async (id: string, { justified, note }: { justified: 'yes' | 'no'; note: string }) => {
      const body = { justified: justified === 'yes', note };
      const action = await cli.api.post<WireAction>(
        `${actionPath(await wholeId(cli, 'action', id))}/review`,
        body,
      );
      cli.print(action, () =>
        paragraph(
          `Reviewed, ${body.justified ? 'justified' : 'NOT justified'}: ${action.summary}`,
          cli.io.columns,
        ),
      );
    });
  withExample(review, `portcullis approvals review ${ID} --justified yes --note "The hotel did burn"`);
}

function registerNumbers(approvals: Command, cli: Cli): void {
  const stats = approvals
    .command('stats')
    .summary('how people approve: speed, load, and what waiting costs')
    .description(
      'Time from shown to answered, approvals in under three seconds, load of each person, and what waiting cost: right writes that waited and writes that were stopped.',
    )
    .option('--agent <agent>', 'only of this agent')
    .option('--days <n>', 'how far back', '7')
    .action(async ({ agent, days }: { agent?: string; days: string }) => {
      const query = { agent, days: wholeNumber('--days', days) };
      const answer = await cli.api.get<WireStats>('/v1/approvals/stats', query);
      cli.print(answer, () => statsText(answer, cli.io.columns));
    });
  withExample(stats, 'portcullis approvals stats --agent my-agent --days 30');
}
