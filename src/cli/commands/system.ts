import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { drawSystem } from '../../domain/system/draw.ts';
import { mermaidSystem } from '../../domain/system/mermaid.ts';
import type { SystemView } from '../../domain/system/view.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { paragraph } from '../text/render.ts';
import { systemText } from '../text/system-text.ts';

interface Options {
  agent?: string;
  at?: string;
  incident?: string;
  window?: string;
  svg?: string;
  mermaid?: true;
  idle?: true;
}

/** `portcullis system`. */
export const registerSystem: RegisterCommands = (program, cli) => {
  const system = program
    .command('system')
    .summary('the system at a moment: stages, tools, the path of an incident')
    .description(
      'What was asked in the window and how far it came, stage by stage and tool by tool, drawn from records only. With --at or --incident as it stood then; an incident lights its path and the link that failed. What each stage is, and what to do when it breaks, stands in docs/system.md.',
    )
    .option('--agent <agent>', 'only this agent')
    .option('--at <instant>', 'as it stood then, such as 2026-12-24T18:00:00Z')
    .option('--incident <id>', 'as it stood when this incident was opened, with its path')
    .option('--window <duration>', 'how far back is looked (default: 1h)')
    .option('--idle', 'also show what had nothing in the window')
    .option('--svg <file.svg>', 'write the picture')
    .option('--mermaid', 'print it as text for Mermaid')
    .action((options: Options) => runSystem(cli, options));
  withExample(system, 'portcullis system --agent my-agent --window 24h --svg system.svg');
};

async function runSystem(cli: Cli, options: Options): Promise<void> {
  const { agent, at, incident, window, svg, mermaid, idle } = options;
  if (at !== undefined && incident !== undefined)
    throw new CliError('usage', 'Say --at or --incident, not both: an incident says the moment by itself');
  if (svg !== undefined && mermaid) throw new CliError('usage', 'Say --svg or --mermaid, one at a time');
  const view = await cli.api.get<SystemView>('/v1/system', { agent, at, incident, window });
  if (mermaid) {
    const text = mermaidSystem(view, { idle });
    return cli.print({ mermaid: text }, () => text.trimEnd());
  }
  if (svg !== undefined) {
    await writeFile(resolve(cli.io.cwd, svg), drawSystem(view, { idle }));
    return cli.print({ svg }, () => paragraph(`Wrote ${svg}.`, cli.io.columns));
  }
  cli.print(view, () => systemText(view, { idle: idle ?? false, width: cli.io.columns }));
}
