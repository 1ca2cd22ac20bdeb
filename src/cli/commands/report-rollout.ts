import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Cli, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { findRollout } from '../find-rollout.ts';
import { paragraph } from '../text/render.ts';

interface Report {
  report: Record<string, unknown>;
  html: string;
}

/** `portcullis rollout report`. */
export function registerReport(rollout: Command, cli: Cli): void {
  const report = rollout
    .command('report')
    .summary('write a rollout down, with its charts')
    .description(
      'Writes one page of HTML and the same as JSON beside it: plan, exposure, timeline and, per segment and guardrail, the evidence of each day with both bounds, its limit and the e-value. Of a rollout that has ended they are the same bytes each time.',
    )
    .argument('<rollout>', 'the agent, or an id or a unique part of it')
    .option('--out <file.html>', 'where (default: the id of the rollout)')
    .action(async (which: string, { out }: { out?: string }) => {
      const { id } = await findRollout(cli, which);
      const file = out ?? `${id}.html`;
      if (!file.endsWith('.html'))
        throw new CliError('usage', `--out is a file that ends with .html, not "${file}"`);
      const path = `/v1/rollouts/${encodeURIComponent(id)}/report`;
      const { report: data, html } = await cli.api.get<Report>(path, { html: 'true' });
      const json = file.replace(/\.html$/, '.json');
      await writeFile(resolve(cli.io.cwd, file), html);
      await writeFile(resolve(cli.io.cwd, json), `${JSON.stringify(data, null, 2)}\n`);
      cli.print({ rollout: id, html: file, json }, () =>
        paragraph(`Wrote ${file} and ${json}.`, cli.io.columns),
      );
    });
  withExample(report, 'portcullis rollout report my-agent --out report.html');
}
