import { type Logger, LogLevel } from '@slack/bolt';
import type { Services } from '../services.ts';

/** Slack's own log lines in ours. A lost connection is nothing to wake people for: it is opened again. */
export function boltLog(log: Services['log']): Logger {
  const at =
    (level: 'debug' | 'warn') =>
    (...parts: unknown[]) => {
      log[level](
        { slack: parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ') },
        'Slack',
      );
    };
  return {
    debug: () => {},
    info: at('debug'),
    warn: at('warn'),
    error: at('warn'),
    setLevel: () => {},
    getLevel: () => LogLevel.WARN,
    setName: () => {},
  };
}
