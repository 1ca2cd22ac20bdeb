import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { showBeside } from './demo/business.ts';
import { showIntro } from './demo/intro.ts';
import { showLearned } from './demo/learn.ts';
import { type DemoOptions, readOptions, USAGE } from './demo/options.ts';
import { controlSet, inOrder, loadRecording } from './demo/recording.ts';
import { jsonOf, showColumns, showCommands, showEnding, showInvariants } from './demo/report.ts';
import { runDays } from './demo/run.ts';
import { createScreen } from './demo/screen.ts';
import { setStage } from './demo/setup.ts';

/** The example in one command: service, desk, 90 days of recorded conversations, figures. Returns the exit code. */
async function demo(options: DemoOptions): Promise<number> {
  const { stdin, stdout } = process;
  const interactive = stdin.isTTY === true && stdout.isTTY === true && !options.json;
  const screen = createScreen(stdout, { interactive });
  const recording = loadRecording();
  const chosen = options.control ? controlSet(recording) : recording.conversations;
  const conversations = inOrder(chosen, options.seed);
  showIntro(screen, conversations, recording.truth, options);
  const stage = await setStage(options, screen.told);
  const stopped = new AbortController();
  const interrupt = () => stopped.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const interrupted = once(stopped.signal, 'abort').then(() => undefined);
    const result = await Promise.race([
      runDays(stage, screen, options, conversations, recording),
      interrupted,
    ]);
    if (!result) return 130;
    showEnding(screen, result);
    showColumns(screen, result);
    showBeside(screen, result.beside);
    showLearned(screen, result.learned);
    showInvariants(screen, result);
    if (!options.json || options.keep) {
      const report = join(stage.dataFolder, 'report.html');
      const week = join(stage.dataFolder, 'week.md');
      await writeFile(report, result.html);
      await writeFile(week, result.learned.week);
      showCommands(screen, {
        dataFolder: stage.dataFolder,
        url: stage.service.url,
        day: options.day,
        keep: options.keep,
        report,
        week,
      });
    }
    if (options.json) stdout.write(`${JSON.stringify(jsonOf(result))}\n`);
    if (options.keep) await interrupted;
    return result.invariants.every(({ holds }) => holds) ? 0 : 1;
  } finally {
    await stage.stop();
    if (options.json) await rm(stage.dataFolder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (!options.help) return await demo(options);
    process.stdout.write(`${USAGE}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(
      `The demo could not go on: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return 1;
  }
}

const code = await main();
// An interrupted replay leaves timers behind; what was written goes out first.
process.stdout.write('', () => process.exit(code));
