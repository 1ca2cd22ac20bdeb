import { Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { Cli, GlobalOptions, RegisterCommands } from './cli.ts';
import { registerAction } from './commands/action.ts';
import { registerAdopt } from './commands/adopt.ts';
import { registerApply } from './commands/apply.ts';
import { registerApprovals } from './commands/approvals.ts';
import { registerAutonomy } from './commands/autonomy.ts';
import { registerDeputy } from './commands/deputy.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEvents } from './commands/events.ts';
import { registerGroup } from './commands/group.ts';
import { registerInit } from './commands/init.ts';
import { registerKeys } from './commands/keys.ts';
import { registerLog } from './commands/log.ts';
import { registerOutcome } from './commands/outcome.ts';
import { registerPosture } from './commands/posture.ts';
import { registerReceipt } from './commands/receipt.ts';
import { registerRollout } from './commands/rollout.ts';
import { registerSchema } from './commands/schema.ts';
import { registerSwitch } from './commands/switch.ts';
import { registerToken } from './commands/token.ts';
import { registerTry } from './commands/try.ts';
import { registerUp } from './commands/up.ts';
import { DEFAULT_URL } from './connection.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { WIDTH } from './text/render.ts';

/** Who uses what, in the order in which they meet it. */
const GROUPS: readonly (readonly [string, readonly RegisterCommands[]])[] = [
  ['To begin:', [registerInit, registerUp, registerDoctor]],
  [
    'For agent developers and approvers:',
    [registerAction, registerApprovals, registerDeputy, registerEvents, registerOutcome],
  ],
  [
    'For release managers:',
    [
      registerTry,
      registerApply,
      registerAdopt,
      registerRollout,
      registerAutonomy,
      registerGroup,
      registerSchema,
    ],
  ],
  ['For on-call:', [registerSwitch]],
  ['For auditors and admins:', [registerLog, registerReceipt, registerPosture, registerToken, registerKeys]],
];

/** Every command with its help; nothing runs before `parseAsync`. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('portcullis')
    .description('Governs what an AI agent may do with its tools: rises slowly, falls fast.')
    .version(packageJson.version, '-V, --version')
    .addOption(
      new Option('--output <format>', 'how answers are printed').choices(['table', 'json']).default('table'),
    )
    .option('--url <url>', `where the service is (PORTCULLIS_URL; default ${DEFAULT_URL})`)
    .option('--token <token>', 'who asks (PORTCULLIS_TOKEN; else the file an embedded up writes)')
    .exitOverride()
    .showHelpAfterError('(add --help for what may be written)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: cli.io.out,
      writeErr: cli.io.err,
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .hook('preAction', (_, command) => cli.use(command.optsWithGlobals<GlobalOptions>()));
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(heading);
    for (const register of commands) register(program, cli);
  }
  program.commandsGroup('Help:').helpCommand('help [command]', 'what a command does, with an example');
  program.addHelpText(
    'after',
    `\nExample, from nothing to a first governed tool:
  $ portcullis init
  $ portcullis up                # in another terminal
  $ portcullis apply agent.yaml release-1.yaml

Exit codes (docs/exit-codes.md):
${exitCodeHelp()}`,
  );
  return program;
}
