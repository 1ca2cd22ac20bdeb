import type { Preview } from '../apply-manifests.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import type { Manifests } from '../manifests.ts';
import { command, paragraph, sections, wrap } from '../text/render.ts';

interface ApplyOptions {
  yes?: boolean;
  check?: boolean;
}

/** `portcullis apply`. */
export const registerApply: RegisterCommands = (program, cli) => {
  const apply = program
    .command('apply')
    .summary('apply manifests: shows what would change, then asks')
    .description(
      'Applies agent and release manifests (YAML or JSON; which is which is seen from their keys). Checks all of them, shows the difference from what is there, and asks. A release is only stored: adopt or a rollout puts it in force.',
    )
    .argument('<file...>', 'agent and release manifests')
    .option('--yes', 'do not ask')
    .option('--check', 'only check the files, without the service')
    .action((files: string[], options: ApplyOptions) => runApply(cli, files, options));
  withExample(apply, 'portcullis apply agent.yaml release-2.yaml', 'portcullis apply --check *.yaml');
};

async function runApply(
  cli: Cli,
  files: readonly string[],
  { yes = false, check = false }: ApplyOptions,
): Promise<void> {
  const { readManifests } = await import('../manifests.ts');
  const { applyManifests, lookUpAgent, previewManifests } = await import('../apply-manifests.ts');
  const lookUp = check ? async () => undefined : (agent: string) => lookUpAgent(cli.api, agent);
  const manifests = await readManifests(files, cli.io.cwd, lookUp);
  if (check) {
    return printChecked(cli, manifests);
  }
  const previews = await previewManifests(cli.api, manifests);
  const shown = sections(...previews.map(previewText), beforeText(previews));
  if (!cli.json) cli.io.out(`${cli.told(shown)}\n`);
  const changes = previews.some(({ unchanged }) => !unchanged);
  if (
    changes &&
    !yes &&
    !(await cli.ask('Apply this?', 'Add --yes to apply, or --check to only check the files'))
  ) {
    cli.exit = 'refused';
    return cli.print({ applied: false, manifests: previews }, () => '\nNothing was applied.');
  }
  if (changes) await applyManifests(cli.api, manifests);
  cli.print({ applied: changes, manifests: previews }, () =>
    sections(changes ? '\nApplied.' : '\nNothing to apply.', nextText(previews)),
  );
}

/** A release is measured against its agent: without it most of what can be wrong is not seen. */
function printChecked(cli: Cli, { agents, releases }: Manifests): void {
  const checked = [...agents, ...releases].map(({ file, kind, value: { agent } }) => {
    const whole = kind === 'agent' || agents.some(({ value }) => value.agent === agent);
    return { file, kind, agent, ...(whole ? {} : { unchecked: UNCHECKED }) };
  });
  cli.print({ valid: true, complete: checked.every((one) => !one.unchecked), manifests: checked }, () =>
    checked
      .map(({ file, kind, agent, unchecked }) =>
        unchecked
          ? paragraph(
              `${file}: well formed, and NOT checked against agent ${agent}, whose manifest is not among the files: ${unchecked.join(', ')}. Add it: portcullis apply --check agent.yaml ${file}`,
              cli.io.columns,
            )
          : `${file}: a valid ${kind} of ${agent}`,
      )
      .join('\n'),
  );
}

const UNCHECKED = [
  'its tools and their scopes',
  'its conditions',
  'its approver groups',
  'segments, metrics and sign-off of its rollout',
];

function previewText({ file, kind, agent, version, changes, warnings, unchanged }: Preview): string {
  const title = `${file}: ${kind === 'agent' ? `agent ${agent}` : `release ${version} of ${agent}`}`;
  const lines = changes.map(({ sign, what, detail }) =>
    changeLine(sign, detail ? `${what}: ${detail}` : what),
  );
  const against = kind === 'release' ? 'gives and takes nothing against what is in force' : 'no change';
  const stored = unchanged && kind === 'release' ? ' (stored already)' : '';
  return [
    paragraph(`${title}${stored}`),
    ...(lines.length > 0 ? lines : [`    ${against}`]),
    ...warnings.map((warning) => changeLine('!', warning)),
  ].join('\n');
}

const changeLine = (sign: string, text: string): string => `  ${sign} ${wrap(text, 76).join('\n    ')}`;

function beforeText(previews: readonly Preview[]): string | undefined {
  const before = previews.flatMap((preview) => preview.before ?? []);
  if (before.length === 0) return undefined;
  return `Before you apply, make a token that has it, and give it to the agent:\n${before.map(command).join('\n')}`;
}

function nextText(previews: readonly Preview[]): string | undefined {
  const next = previews.flatMap((preview) => preview.next ?? []);
  return next.length > 0 ? `Next:\n${next.map(command).join('\n')}` : undefined;
}
