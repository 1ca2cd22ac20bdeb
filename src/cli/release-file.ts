import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';

/** The text of a release and of which agent it is. @throws CliError `usage` */
export async function releaseFile(cli: Cli, file: string): Promise<{ yaml: string; agent: string }> {
  const { readManifestText } = await import('./list-files.ts');
  const yaml = await readManifestText(file, cli.io.cwd);
  const { parseText } = await import('../domain/manifest/source.ts');
  const parsed = parseText(file, yaml);
  const value = parsed.ok ? (parsed.value as { agent?: unknown; release?: unknown } | null) : null;
  if (typeof value?.agent !== 'string' || value.release === undefined)
    throw new CliError('usage', `${file} is no release: it does not say of which agent, or its version`, {
      hint: `Check it: portcullis apply --check ${file}`,
    });
  return { yaml, agent: value.agent };
}
