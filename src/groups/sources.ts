import { SourceFailure } from '../net/source-failure.ts';
import { icalSource } from './ical.ts';
import { type PagerDutyOptions, pagerdutySource } from './pagerduty.ts';
import { slackGroupSource, type UsersOfGroup } from './slack-group.ts';
import type { GroupSource, SourceRef } from './source.ts';

export interface SourceOptions {
  /** Absent: Slack is not set up. */
  usersOfGroup?: UsersOfGroup;
  /** Absent: there is no key. */
  pagerduty?: PagerDutyOptions;
  /** Where calendars in files are. */
  dataFolder: string;
}

/** The source that a live group names. */
export type Sources = (ref: SourceRef) => GroupSource;

/** Every source by what this process was given; one that lacks its key fails whenever it is asked. */
export function createSources({ usersOfGroup, pagerduty, dataFolder }: SourceOptions): Sources {
  return ({ kind, id }) => {
    switch (kind) {
      case 'slack':
        return usersOfGroup ? slackGroupSource(usersOfGroup, id) : lacking('Slack', 'SLACK_BOT_TOKEN');
      case 'pagerduty':
        return pagerduty
          ? pagerdutySource(pagerduty, id)
          : lacking('PagerDuty', 'PORTCULLIS_PAGERDUTY_TOKEN');
      case 'ical':
        return icalSource(id, dataFolder);
    }
  };
}

const lacking = (what: string, variable: string): GroupSource => ({
  async shifts() {
    throw new SourceFailure(`${what} is not set up: give the processes with the role worker ${variable}`);
  },
});
