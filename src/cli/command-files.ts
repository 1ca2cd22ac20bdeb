import type { RegisterCommands } from './cli.ts';

/** Commands that are loaded together, when one of them is used. */
export interface CommandFile {
  names: readonly string[];
  /** It tells of all commands, so they are loaded too. */
  ofAll?: true;
  load(): Promise<RegisterCommands>;
}

/** Who uses what, in the order in which they meet it. */
export const COMMAND_GROUPS: readonly (readonly [string, readonly CommandFile[]])[] = [
  [
    'To begin:',
    [
      { names: ['init'], load: async () => (await import('./commands/init.ts')).registerInit },
      { names: ['up'], load: async () => (await import('./commands/up.ts')).registerUp },
      { names: ['migrate'], load: async () => (await import('./commands/migrate.ts')).registerMigrate },
      { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).registerDoctor },
      {
        names: ['completion'],
        ofAll: true,
        load: async () => (await import('./commands/completion.ts')).registerCompletion,
      },
    ],
  ],
  [
    'For agent developers and approvers:',
    [
      { names: ['action'], load: async () => (await import('./commands/action.ts')).registerAction },
      { names: ['approvals'], load: async () => (await import('./commands/approvals.ts')).registerApprovals },
      { names: ['deputy'], load: async () => (await import('./commands/deputy.ts')).registerDeputy },
      { names: ['events'], load: async () => (await import('./commands/events.ts')).registerEvents },
      { names: ['outcome'], load: async () => (await import('./commands/outcome.ts')).registerOutcome },
    ],
  ],
  [
    'For release managers:',
    [
      { names: ['try'], load: async () => (await import('./commands/try.ts')).registerTry },
      { names: ['apply'], load: async () => (await import('./commands/apply.ts')).registerApply },
      { names: ['adopt'], load: async () => (await import('./commands/adopt.ts')).registerAdopt },
      { names: ['cases'], load: async () => (await import('./commands/cases.ts')).registerCases },
      { names: ['preflight'], load: async () => (await import('./commands/preflight.ts')).registerPreflight },
      { names: ['replay'], load: async () => (await import('./commands/replay.ts')).registerReplay },
      { names: ['rollout'], load: async () => (await import('./commands/rollout.ts')).registerRollout },
      { names: ['guardrail'], load: async () => (await import('./commands/guardrail.ts')).registerGuardrail },
      { names: ['business'], load: async () => (await import('./commands/business.ts')).registerBusiness },
      { names: ['rates'], load: async () => (await import('./commands/rates.ts')).registerRates },
      { names: ['reviews'], load: async () => (await import('./commands/reviews.ts')).registerReviews },
      {
        names: ['follow-ups'],
        load: async () => (await import('./commands/follow-ups.ts')).registerFollowUps,
      },
      { names: ['incidents'], load: async () => (await import('./commands/incidents.ts')).registerIncidents },
      { names: ['source'], load: async () => (await import('./commands/source.ts')).registerSource },
      { names: ['stats'], load: async () => (await import('./commands/stats.ts')).registerStats },
      { names: ['autonomy'], load: async () => (await import('./commands/autonomy.ts')).registerAutonomy },
      { names: ['group'], load: async () => (await import('./commands/group.ts')).registerGroup },
      { names: ['schema'], load: async () => (await import('./commands/schema.ts')).registerSchema },
    ],
  ],
  [
    'For on-call:',
    [
      {
        names: ['disable', 'enable'],
        load: async () => (await import('./commands/switch.ts')).registerSwitch,
      },
      { names: ['recover'], load: async () => (await import('./commands/recover.ts')).registerRecover },
    ],
  ],
  [
    'For auditors and admins:',
    [
      { names: ['log'], load: async () => (await import('./commands/log.ts')).registerLog },
      { names: ['receipt'], load: async () => (await import('./commands/receipt.ts')).registerReceipt },
      { names: ['system'], load: async () => (await import('./commands/system.ts')).registerSystem },
      { names: ['posture'], load: async () => (await import('./commands/posture.ts')).registerPosture },
      { names: ['retention'], load: async () => (await import('./commands/retention.ts')).registerRetention },
      { names: ['subject'], load: async () => (await import('./commands/subject.ts')).registerSubject },
      { names: ['token'], load: async () => (await import('./commands/token.ts')).registerToken },
      { names: ['keys'], load: async () => (await import('./commands/keys.ts')).registerKeys },
      {
        names: ['installation'],
        load: async () => (await import('./commands/installation.ts')).registerInstallation,
      },
    ],
  ],
];

export const COMMAND_NAMES: readonly string[] = COMMAND_GROUPS.flatMap(([, files]) =>
  files.flatMap(({ names }) => names),
);

const WITH_VALUE = new Set(['--output', '--url', '--token']);

/** The file of the command that the words name, if there is one and it is enough. */
export function namedCommand(argv: readonly string[]): CommandFile | undefined {
  let at = 0;
  while (argv[at]?.startsWith('-')) at += WITH_VALUE.has(argv[at] ?? '') ? 2 : 1;
  const name = argv[at];
  const file = COMMAND_GROUPS.flatMap(([, files]) => files).find(({ names }) =>
    names.some((one) => one === name),
  );
  return file?.ofAll ? undefined : file;
}
