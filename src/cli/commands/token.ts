import { type Command, Option } from 'commander';
import { ROLES, type Role } from '../../actor.ts';
import { attributesOf } from '../attributes.ts';
import { type Cli, collect, type RegisterCommands, withExample } from '../cli.ts';
import { inDatabase } from '../direct.ts';
import { CliError } from '../failure.ts';
import { shortId, wholeId } from '../ids.ts';
import { formatTimeAndDistance } from '../text/format.ts';
import { isValid, tokensText, type WireToken } from '../text/token-text.ts';

interface CreateOptions {
  role: Role[];
  person?: string;
  agent?: string;
  expires?: string;
  attribute?: string[];
  bootstrap?: boolean;
}

interface TokenAsked {
  roles: Role[];
  person?: string;
  agent?: string;
  attributes?: Record<string, unknown>;
  expiresAt?: string;
}

interface TokenMade {
  id: string;
  token: string;
  expiresAt?: string;
}

/** `portcullis token`. */
export const registerToken: RegisterCommands = (program, cli) => {
  const token = program.command('token').summary('make tokens for agents and people');
  token.description('A token says who calls. No role contains another.');
  const create = token
    .command('create')
    .summary('make a token; its text is shown once')
    .description(
      'Makes a token and prints it, once. Approvers and those who enable or approve gates need --person, agents need --agent. An admin token lives at most 24 hours. The first one of an installation is made with --bootstrap by whoever has DATABASE_URL.',
    )
    .addOption(new Option('--role <role...>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--person <id>', 'whose it is')
    .option('--agent <agent>', 'only for this agent')
    .option('--expires <duration>', 'for example 30d (default: never; admin 24h)')
    .option('--attribute <name=value>', 'a trusted attribute of its requests, may be repeated', collect)
    .option('--bootstrap', 'by DATABASE_URL, without a token')
    .action((options: CreateOptions) => runCreate(cli, options));
  registerListAndRevoke(token, cli);
  withExample(
    create,
    'portcullis token create --role agent --agent my-agent --attribute tier=gold',
    'portcullis token create --role admin --person ana --bootstrap',
  );
};

interface ListOptions {
  agent?: string;
  all?: boolean;
}

function registerListAndRevoke(token: Command, cli: Cli): void {
  const list = token
    .command('list')
    .summary('the tokens that are valid now')
    .description('Lists the tokens that are valid now, the newest first; their text is nowhere.')
    .option('--agent <agent>', 'only of this agent')
    .option('--all', 'also those that expired or were revoked')
    .action(async ({ agent, all }: ListOptions) => {
      const now = cli.io.now();
      const found = await cli.api.get<{ tokens: WireToken[] }>('/v1/tokens');
      const tokens = found.tokens.filter(
        (one) => (agent === undefined || one.agent === agent) && (all || isValid(one, now)),
      );
      cli.print({ tokens }, () => tokensText(tokens, now, cli.io.columns));
    });
  withExample(list, 'portcullis token list --agent my-agent');
  const revoke = token
    .command('revoke')
    .summary('end a token at once')
    .description('Ends a token at once, and every web session made with it. Repeating it changes nothing.')
    .argument('<id>', 'as token list shows it')
    .action(async (id: string) => {
      const path = `/v1/tokens/${await wholeId(cli, 'token', id)}`;
      const { body } = await cli.api.request<{ id: string; revokedAt: string }>('DELETE', path);
      cli.print(body, () => `Revoked: token ${shortId(body.id)} is not accepted any more.`);
    });
  withExample(revoke, 'portcullis token revoke 6f1d6f0e');
}

async function runCreate(cli: Cli, options: CreateOptions): Promise<void> {
  const { role: roles, person, agent, expires, bootstrap } = options;
  const expiresAt = expires === undefined ? undefined : await expiryOf(expires, cli.io.now());
  const attributes = options.attribute && attributesOf(options.attribute);
  const asked = { roles, person, agent, attributes, expiresAt };
  const made = bootstrap
    ? await makeDirectly(cli, asked)
    : await cli.api.post<TokenMade>('/v1/tokens', asked);
  cli.note(
    `Token ${shortId(made.id)} for ${roles.join(', ')}, ${made.expiresAt ? `until ${formatTimeAndDistance(made.expiresAt, cli.io.now())}` : 'without an end'}. It is shown only here:`,
  );
  cli.print(made, () => made.token);
}

async function expiryOf(text: string, now: Date): Promise<string> {
  const { DURATION_PATTERN, durationMs } = await import('../../domain/duration.ts');
  const { INSTANT_RANGE, isInstant } = await import('../../domain/instant.ts');
  const hint = 'Write 30d, 12h or 45m';
  if (!DURATION_PATTERN.test(text))
    throw new CliError('usage', `--expires: "${text}" is not a duration`, { hint });
  const at = new Date(now.getTime() + durationMs(text));
  if (isInstant(at)) return at.toISOString();
  throw new CliError('usage', `--expires: "${text}" is too long: ${INSTANT_RANGE}`, { hint });
}

async function makeDirectly(cli: Cli, asked: TokenAsked): Promise<TokenMade> {
  const { insertToken } = await import('../../tokens/tokens.ts');
  const { appendEntry } = await import('../../records/log-entry.ts');
  const noDatabase = {
    message: 'Cannot bootstrap: DATABASE_URL is not set, and no data folder of this service is here',
    hint: `An embedded service (portcullis up) writes its token to ${cli.connection.tokenFile} by itself`,
  };
  return inDatabase(cli, noDatabase, async ({ db, clock, actor }) => {
    const now = clock.now();
    return db.sql.transaction().execute(async (tx) => {
      const { expiresAt, ...request } = asked;
      const made = await insertToken(tx, now, actor, {
        ...request,
        ...(expiresAt && { expiresAt: new Date(expiresAt) }),
      });
      const data = { token: made.id, roles: asked.roles, person: asked.person ?? null, bootstrap: true };
      await appendEntry(tx, {
        kind: 'token.created',
        agent: asked.agent,
        ref: made.id,
        at: now,
        actor,
        data,
      });
      return { ...made, expiresAt: made.expiresAt?.toISOString() };
    });
  });
}
