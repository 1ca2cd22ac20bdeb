import { type Agent, type Group, groupOf, isLive, standsBehind } from '../agent.ts';
import { hoursProblem } from '../approval/hours.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import { REVIEW_FUNCTIONS } from '../review/weekly.ts';

/**
 * The listed people of a group who may approve: known, counted once, and not standing behind the agent (but in test
 * mode). Who is in a live group is known only when it is read.
 */
export function eligibleApprovers(agent: Agent, group: string): string[] {
  const members = groupOf(agent, group)?.people ?? [];
  const known = [...new Set(members)].filter((person) => Object.hasOwn(agent.people, person));
  return agent.testMode ? known : known.filter((person) => !standsBehind(agent, person));
}

/** Everyone named is known, every group can approve, nobody is two people. */
export function checkPeople(agent: Agent): CheckProblem[] {
  const groups = Object.entries(agent.approvers);
  return [
    ...unknownPeople(agent, ['owners'], agent.owners),
    ...unknownPeople(agent, ['onCall'], agent.onCall ?? []),
    ...unknownPeople(agent, ['deployers'], agent.deployers),
    ...REVIEW_FUNCTIONS.flatMap((name) =>
      unknownPeople(agent, ['reviews', name], agent.reviews?.[name] ?? []),
    ),
    ...groups.flatMap(([group, spec]) =>
      Array.isArray(spec)
        ? unknownPeople(agent, ['approvers', group], spec)
        : unknownPeople(agent, ['approvers', group, 'people'], spec.people ?? []),
    ),
    ...groups.flatMap(([group]) => checkGroup(agent, group)),
    ...sharedIdentities(agent),
  ];
}

/** Says that a person is not listed; nothing when they are. */
export function unknownPerson(agent: Agent, path: ManifestPath, person: string): CheckProblem[] {
  if (Object.hasOwn(agent.people, person)) return [];
  const hint = `Add ${person} to people, or ${suggest(person, Object.keys(agent.people))}`;
  return [{ path, message: `"${person}" is not one of people`, hint }];
}

const unknownPeople = (agent: Agent, path: ManifestPath, people: readonly string[]): CheckProblem[] =>
  people.flatMap((person, at) => unknownPerson(agent, [...path, at], person));

function checkGroup(agent: Agent, group: string): CheckProblem[] {
  const path = ['approvers', group];
  if (group === 'none')
    return [
      {
        path,
        atKey: true,
        message: 'A group cannot be called "none"',
        hint: 'Choose another name: "approval: none" asks nobody',
      },
    ];
  const spec = groupOf(agent, group);
  if (spec === undefined || isLive(spec))
    return spec === undefined ? [] : checkLive(agent, group, spec, path);
  const members = spec.people ?? [];
  if (members.length === 0)
    return [
      {
        path,
        atKey: true,
        message: `Approver group "${group}" has nobody in it`,
        hint: 'Name at least one of people',
      },
    ];
  const known = members.some((person) => Object.hasOwn(agent.people, person));
  if (!known || eligibleApprovers(agent, group).length > 0) return checkRouting(agent, spec, path);
  const message = `Nobody in approver group "${group}" may approve: all of them own or deploy the agent`;
  const hint = 'Add somebody else to the group, or set testMode: true to try things out alone';
  return [...checkRouting(agent, spec, path), { path, atKey: true, message, hint }];
}

/** A live group has one source. */
function checkLive(agent: Agent, group: string, spec: Group, path: ManifestPath): CheckProblem[] {
  const sources = [spec.people, spec.slackGroup, spec.schedule].filter((source) => source !== undefined);
  const several = {
    path,
    atKey: true,
    message: `Approver group "${group}" has several sources`,
    hint: 'Write people, slackGroup or schedule: one of them',
  };
  return [...(sources.length > 1 ? [several] : []), ...checkRouting(agent, spec, path)];
}

function checkRouting(agent: Agent, { hours, outOfHours }: Group, path: ManifestPath): CheckProblem[] {
  const problems: CheckProblem[] = [];
  const wrong = hours && hoursProblem(hours);
  if (wrong)
    problems.push({
      path: [...path, 'hours'],
      message: wrong,
      hint: 'e.g. {days: [mon], from: "08:00", to: "18:00", timezone: Europe/Berlin}',
    });
  if (outOfHours !== undefined && hours === undefined)
    problems.push({
      path: [...path, 'outOfHours'],
      message: 'outOfHours needs hours',
      hint: 'Say when the group can be reached: hours',
    });
  if (outOfHours !== undefined && groupOf(agent, outOfHours) === undefined) {
    const hint = sentence(suggest(outOfHours, Object.keys(agent.approvers)));
    problems.push({
      path: [...path, 'outOfHours'],
      message: `There is no approver group "${outOfHours}"`,
      hint,
    });
  }
  return problems;
}

/** One Slack account under two names would let one person fill a quorum of two. */
function sharedIdentities(agent: Agent): CheckProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(agent.people).flatMap(([person, { slack, email }]) =>
    (['slack', 'email'] as const).flatMap((kind) => {
      const identity = (kind === 'slack' ? slack : email)?.toLowerCase();
      if (identity === undefined) return [];
      const other = seen.get(`${kind} ${identity}`);
      seen.set(`${kind} ${identity}`, other ?? person);
      if (other === undefined) return [];
      const message = `"${person}" and "${other}" have the same ${kind === 'slack' ? 'Slack account' : 'e-mail address'}`;
      return [{ path: ['people', person, kind], message, hint: 'List each person once' }];
    }),
  );
}
