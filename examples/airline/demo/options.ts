import { parseArgs } from 'node:util';
import { DURATION_PATTERN, durationMs } from '../../../src/domain/duration.ts';

const DEFAULT_DAY = '1.3s';

export const USAGE = `Usage: npm run demo -- [options]
  --day <duration>     how long a day lasts (default ${DEFAULT_DAY}, or PORTCULLIS_DAY)
  --seed <number>      shuffle the order of arrival by this number; default: as recorded
  --control            only the conversations whose writes were all expected: nothing may be taken back
  --slack <#channel>   send real cards (SLACK_BOT_TOKEN and SLACK_APP_TOKEN are needed)
  --keep               leave the service up afterwards
  --json               one object on the last line`;

export interface DemoOptions {
  day: string;
  dayMs: number;
  seed?: number;
  control: boolean;
  slack?: string;
  keep: boolean;
  json: boolean;
  help: boolean;
}

/** @throws RangeError for a value that is none */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      day: { type: 'string' },
      seed: { type: 'string' },
      slack: { type: 'string' },
      control: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const day = values.day ?? (env.PORTCULLIS_DAY || DEFAULT_DAY);
  if (!DURATION_PATTERN.test(day))
    throw new RangeError(`--day ${day}: write a duration such as ${DEFAULT_DAY}`);
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new RangeError(`--seed ${values.seed}: write a whole number`);
  const { control, slack, keep, json, help } = values;
  return { day, dayMs: durationMs(day), seed, control, slack, keep, json, help };
}
