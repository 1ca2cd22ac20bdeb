import { expect, test } from 'vitest';
import { type SourceRef, sourceOf } from '../../../src/groups/source.ts';
import { createSources } from '../../../src/groups/sources.ts';

const WINDOW = { from: new Date(0), to: new Date(1) };
const SLACK: SourceRef = { kind: 'slack', id: 'S0DESK' };

test('a group names its one source; a list of people has none', () => {
  const staleAfter = '1h';
  expect(sourceOf({ slackGroup: 'S0DESK', staleAfter })).toEqual(SLACK);
  expect(sourceOf({ schedule: { pagerduty: 'PDESK' }, staleAfter })).toEqual({
    kind: 'pagerduty',
    id: 'PDESK',
  });
  expect(sourceOf({ schedule: { ical: 'a.ics' }, staleAfter })).toEqual({ kind: 'ical', id: 'a.ics' });
  expect(sourceOf({ people: ['ana'], staleAfter })).toBeUndefined();
});

test('the users of a Slack user group are in it at any hour', async () => {
  const asked: string[] = [];
  const usersOfGroup = async (groupId: string) => {
    asked.push(groupId);
    return ['U0ANA', 'U0BEN'];
  };
  const source = createSources({ usersOfGroup, dataFolder: '.' })(SLACK);
  expect(await source.shifts(WINDOW)).toEqual([{ who: { slack: 'U0ANA' } }, { who: { slack: 'U0BEN' } }]);
  expect(asked).toEqual(['S0DESK']);
});

test.each([
  ['missing_scope', /usergroups:read/],
  ['plan_upgrade_required', /paid plan/],
  ['no_such_subteam', /S0123ABC/],
  ['new_word_of_slack', /new_word_of_slack/],
])('%s of Slack is a failure that says what to mend', async (code, message) => {
  const usersOfGroup = () => Promise.reject(Object.assign(new Error('no'), { code, retryAfterMs: 7_000 }));
  const source = createSources({ usersOfGroup, dataFolder: '.' })(SLACK);
  await expect(source.shifts(WINDOW)).rejects.toMatchObject({
    name: 'SourceFailure',
    message: expect.stringMatching(message),
    retryAfterMs: 7_000,
  });
});

test.each<[SourceRef, string]>([
  [SLACK, 'SLACK_BOT_TOKEN'],
  [{ kind: 'pagerduty', id: 'PDESK' }, 'PORTCULLIS_PAGERDUTY_TOKEN'],
])('%o without its key is a failure that names the variable', async (ref, variable) => {
  await expect(createSources({ dataFolder: '.' })(ref).shifts(WINDOW)).rejects.toThrow(variable);
});
