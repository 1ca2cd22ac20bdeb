/** What one process may do. `background`: judge, dispatcher, sweeper, reconciler, autonomy and sequencer. */
export const SERVICE_ROLES = ['api', 'worker', 'slack', 'background'] as const;
export type ServiceRole = (typeof SERVICE_ROLES)[number];

/** Of a process that was started with some of the roles. */
interface Asked {
  env: NodeJS.ProcessEnv;
  roles: readonly ServiceRole[];
  /** Whether `--roles` named them. */
  named: boolean;
  /** It is not started: what is set is checked, and nothing is missed. */
  only?: boolean;
}

/** Whether other processes have the roles that this one has not: then they share a store and a Temporal server. */
export const isPart = (roles: readonly ServiceRole[]): boolean => roles.length < SERVICE_ROLES.length;

/** What a process with these roles cannot do without, by the variables that are to be set. */
export function missingFor(asked: Asked): string[] {
  const { env, roles } = asked;
  const has = (role: ServiceRole) => roles.includes(role);
  const drives = (['worker', 'background'] as const).filter(has);
  return [
    ...(isPart(roles) && !env.DATABASE_URL
      ? [
          `DATABASE_URL: is missing: a process with ${rolesText(roles)} alone shares its Postgres with the others; the embedded one is for one process with every role`,
        ]
      : []),
    ...(isPart(roles) && drives.length > 0 && !env.TEMPORAL_ADDRESS
      ? [
          `TEMPORAL_ADDRESS: is missing: ${rolesText(drives)} needs the Temporal server of the others; the embedded one is for one process with every role`,
        ]
      : []),
    ...slackProblems(asked),
  ];
}

const rolesText = (roles: readonly ServiceRole[]): string =>
  `the role${roles.length === 1 ? '' : 's'} ${roles.join(', ')}`;

const WAYS =
  'SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for requests to POST /slack/events';

/**
 * The worker posts and needs the bot token alone; the role slack also needs exactly one way in which Slack's requests
 * come. Named, it cannot do without; the other roles use nothing of Slack.
 */
function slackProblems({ env, roles, named, only = false }: Asked): string[] {
  const { SLACK_BOT_TOKEN: bot, SLACK_APP_TOKEN: app, SLACK_SIGNING_SECRET: secret } = env;
  const receives = roles.includes('slack');
  if (!receives && !roles.includes('worker')) return [];
  const given = app ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET';
  const lone = !bot && (app || secret);
  return [
    ...(lone ? [`SLACK_BOT_TOKEN: is missing beside ${given}; it begins with xoxb-`] : []),
    ...(receives && named && !bot && !lone
      ? [`SLACK_BOT_TOKEN: is missing: the role slack needs it, and one of ${WAYS}`]
      : []),
    ...(receives && !only && bot && !app && !secret
      ? [`SLACK_BOT_TOKEN: is not enough; set one of ${WAYS}`]
      : []),
    ...(receives && app && secret
      ? [`SLACK_SIGNING_SECRET: is set beside SLACK_APP_TOKEN; keep one of ${WAYS}`]
      : []),
  ];
}
