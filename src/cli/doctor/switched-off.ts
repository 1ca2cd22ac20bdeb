import { scopeWords } from '../../domain/scope.ts';
import { formatTime } from '../text/format.ts';
import type { WireSwitch } from '../wire.ts';
import { type Check, warn } from './check.ts';

const NAME = 'SWITCHED OFF';

type Off = Pick<WireSwitch, 'scope' | 'reads' | 'reason' | 'actor' | 'changedAt'>;

/** What is switched off is no fault, and what people look for first. */
export const offCheck = ({ scope, reads, reason, actor, changedAt }: Off): Check =>
  warn(
    NAME,
    `${scopeWords(scope)}${reads ? ', reads too' : ''}, since ${formatTime(changedAt)} by ${actor}: ${reason}`,
    `When it is safe: portcullis enable ${scope} --reason "..."`,
  );

/** The service and its database say it both. */
export const saidOnce = (checks: readonly Check[]): Check[] =>
  checks.filter(
    ({ name, detail }, at) =>
      name !== NAME || checks.findIndex((other) => other.name === name && other.detail === detail) === at,
  );
