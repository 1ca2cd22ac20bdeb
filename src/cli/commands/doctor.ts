import { type RegisterCommands, withExample } from '../cli.ts';

/** `portcullis doctor`. */
export const registerDoctor: RegisterCommands = (program, cli) => {
  const doctor = program
    .command('doctor')
    .summary('what is wrong, and how to mend it')
    .description(
      'Looks at Node, the environment, the data folder, the service, the switch, the token, the database with its clock, Temporal with its workers, webhooks, approver groups, and Slack. Works while the service is down; changes nothing. Exit code 1 when a check fails.',
    )
    .action(async () => {
      const { runDoctor } = await import('../doctor/run.ts');
      return runDoctor(cli);
    });
  withExample(doctor, 'portcullis doctor');
};
