import type { StandingWish } from '../../db/tables-action.ts';
import { isStopped } from '../../domain/action.ts';
import { supersededWords } from '../../domain/words.ts';
import type { WireAction, WireCredential } from '../wire.ts';
import { formatDuration, formatTime, formatTimeAndDistance } from './format.ts';
import { shortId, shortIds } from './ids.ts';
import { bullets, command, fields, paragraph, sections, table } from './render.ts';

type Denied = NonNullable<WireAction['deniedBefore']>[number];

/** Everything about one action that people decide on. */
export function actionText(action: WireAction, now: Date, width: number): string {
  const when = (at: string | undefined) => at && formatTimeAndDistance(at, now);
  return sections(
    ...labels(action).map((label) => paragraph(label, width)),
    paragraph(`${action.summary}`, width),
    fields(
      [
        ['Action', shortId(action.id)],
        ['State', stateText(action)],
        ['Follows', action.consequence],
        [
          'Risk',
          action.risk && `${action.risk}, ${action.reversibility}${action.undo ? `: ${action.undo}` : ''}`,
        ],
        ['Tool', `${action.tool} (${action.kind}) of ${action.agent} ${action.agentVersion}`],
        ['Arguments', action.args && JSON.stringify(action.args, null, 2)],
        ['Why', action.why],
        ['For', action.behind.join(', ') || undefined],
        [
          'Nobody knows',
          action.strangers.length > 0
            ? `${action.strangers.join(', ')}: nobody of this agent. Do not approve if it may be you.`
            : undefined,
        ],
        ['Links', action.links.join('\n')],
        ['Where', placeText(action)],
        ['Denied before', action.deniedBefore?.map(deniedText).join('\n')],
        ['Asks', action.approval && approvalText(action.approval)],
        ['People', action.asked?.map(askedText).join('\n')],
        ['Queue', action.queue && queueText(action.queue)],
        ['Reached', action.state === 'pending' ? reachText(action) : undefined],
        ['Asked', `${when(action.askedAt)} by ${action.askedBy}`],
        [
          'Expires',
          action.state === 'pending' || action.state === 'approved' ? when(action.expiresAt) : undefined,
        ],
        ['Decided', action.decidedAt && `${when(action.decidedAt)} by ${action.decidedBy}${byText(action)}`],
        ['Alone', aloneText(action)],
        ['Began', when(action.execution?.beganAt)],
        ['Completed', when(action.execution?.completedAt)],
        ['Error', action.execution?.error],
        [
          isStopped(action.state) ? 'Was right' : 'Wrong',
          action.correction && `${action.correction.person}: ${action.correction.reason ?? ''}`,
        ],
        ['Digest', action.argsDigest],
        ['Page', action.url],
      ],
      width,
    ),
    action.edits.length > 0 ? `Edits\n${bullets(action.edits.map(editText), width)}` : undefined,
    action.decisions.length > 0
      ? `Decisions\n${bullets(action.decisions.map(decisionText), width)}`
      : undefined,
    reasonsText(action, width),
  );
}

const deniedText = ({ person, at, reason, sameSubject }: Denied): string =>
  `the same by ${person}, ${formatTime(at)}${sameSubject ? '' : ', about another subject, as the agent says'}${reason ? `: ${reason}` : ''}`;

function labels({ testMode, advisory, tool, standingWish }: WireAction): string[] {
  return [
    ...(standingWish ? [standingWishText(standingWish)] : []),
    ...(testMode ? ['TEST MODE: owners may approve what their own agent asks.'] : []),
    ...(advisory ? [`ADVISORY: the agent also holds a key of its own for ${tool}.`] : []),
  ];
}

const stateText = ({ state, supersededBecause, denyReason }: WireAction): string =>
  [state, supersededBecause && supersededWords(supersededBecause), denyReason]
    .filter((part) => part !== undefined)
    .join(': ');

const approvalText = ({ group, stages, stage }: NonNullable<WireAction['approval']>): string =>
  stages.length > 1 ? `${group} (stage ${stage + 1} of ${stages.length} is open)` : group;

/** Whoever approves it approves this, too. */
export const standingWishText = ({ envelope, maxUses, forMs, by }: StandingWish): string =>
  `STANDING: approving it also approves up to ${maxUses} like it for ${formatDuration(forMs)}, as ${by} wished: ${envelope}`;

const queueText = ({ ahead }: NonNullable<WireAction['queue']>): string =>
  ahead === 0 ? 'next: nothing waits for longer' : `${ahead} ahead of it`;

function askedText({ person, groups, told }: NonNullable<WireAction['asked']>[number]): string {
  const by = groups.length > 0 ? `of ${groups.join(', ')}` : 'may not answer any more';
  return `${person}, ${by}, ${told.length > 0 ? `told by ${told.join(', ')}` : 'not told yet'}`;
}

function reachText({ reach }: WireAction): string | undefined {
  if (!reach) return undefined;
  const { state, people, problem } = reach;
  return [state, people.join(', '), problem].filter((part) => part).join(': ');
}

const byText = ({ standingApproval, earned }: WireAction): string =>
  standingApproval
    ? `, standing approval ${shortId(standingApproval)}`
    : earned
      ? ', because it was earned'
      : '';

function aloneText({ breakGlass }: WireAction): string | undefined {
  if (!breakGlass) return undefined;
  const { reviewed } = breakGlass;
  if (!reviewed) return 'one person broke the glass; not reviewed yet';
  return `one person broke the glass; ${reviewed.justified ? 'justified' : 'NOT justified'}, says ${reviewed.person}: ${reviewed.note}`;
}

const editText = ({ person, via, reason }: WireAction['edits'][number]): string =>
  `${person} changed the arguments by ${via}${reason ? `: ${reason}` : ''}`;

const decisionText = ({
  person,
  for: other,
  verdict,
  via,
  reason,
}: WireAction['decisions'][number]): string =>
  `${person}${other ? ` for ${other}` : ''}: ${verdict} by ${via}${reason ? `: ${reason}` : ''}`;

function placeText({ segment, release, arm, rollout, phase, grant }: WireAction): string {
  const parts = [
    segment && `segment ${segment}`,
    release && `release ${release}`,
    rollout && `${arm} of rollout ${rollout}`,
    phase && `phase ${phase}`,
    grant && `grant ${grant}`,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** Why policy said no, and what would pass. */
export function reasonsText({ reasons }: Pick<WireAction, 'reasons'>, width: number): string | undefined {
  if (reasons.length === 0) return undefined;
  const lines = reasons.map(({ code, message, hint }) => `${message} (${code})${hint ? `. ${hint}` : ''}`);
  return `Reasons\n${bullets(lines, width)}`;
}

/** A page of actions. */
export function actionsText(
  actions: readonly WireAction[],
  more: string | undefined,
  now: Date,
  width: number,
): string {
  if (actions.length === 0) {
    return `No actions here. Ask for one:\n${command("portcullis action ask <agent> <tool> --args '{...}'")}`;
  }
  const short = shortIds(actions.map(({ id }) => id));
  const rows = actions.map((action) => [
    short(action.id),
    action.state,
    `${action.agent}: ${action.summary}\nasked ${formatTimeAndDistance(action.askedAt, now)}`,
  ]);
  return sections(
    table(['action', 'state', 'what'], rows, width),
    more && `More:\n${command(`portcullis action list --cursor ${more}`)}`,
  );
}

/** What the agent gets to write with, shown once. */
export const credentialText = (credential: WireCredential | undefined, now: Date): string | undefined =>
  credential &&
  `Credential for exactly this action, until ${formatTimeAndDistance(credential.expiresAt, now)}:\n${credential.token}`;
