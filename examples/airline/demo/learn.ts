import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ActionRow, Api, Incident } from './api.ts';
import { type Truth, truthOf } from './recording.ts';
import { padEnd, type Screen } from './screen.ts';
import { AGENT } from './setup.ts';
import { callIdOf } from './tally.ts';
import type { Rollback } from './watch.ts';

/** What is made of a rollback: the case that release 2 must not get past, and its twin, which must stay possible. */
const CASE = 'cancel-unvouched';
const TWIN = 'cancel-vouched';
const AT_ONCE = 8;

interface Preflight {
  release: string;
  ready: boolean;
  blockers: { code: string; message: string }[];
  suite: { green: number; red: { case: string; why: string }[] };
}

/** What the end of the 90 days teaches; without a rollback there is no case. */
export interface Learned {
  /** Ids of the writes that went through although the reference solution has no such call. */
  wrong: string[];
  incidents: { id: string; mechanism: string; writes: number; state: string }[];
  case?: { name: string; incident: string; redOn: string; greenOn: string };
  preflights: Preflight[];
  /** The weekly review of the running week, as Markdown. */
  week: string;
}

export interface LearnDeps {
  /** Who reports a wrong write. */
  reporter: Api;
  /** An owner, who classifies; and another, who applied no release, and says what must come of the case. */
  owner: Api;
  other: Api;
  auditor: Api;
  truth: Truth;
  rollbacks: readonly Rollback[];
}

/**
 * Closes the loop: every wrong write that went through is reported and is then in exactly one incident with a mechanism; the
 * rollback's incident becomes a case that is red on release 2 and green on release 3; release 2 is tried again.
 */
export async function learn(deps: LearnDeps, rows: readonly ActionRow[]): Promise<Learned> {
  const { auditor, owner, other, rollbacks } = deps;
  const wrong = rows.filter((row) => isWrong(row, deps.truth)).map(({ id }) => id);
  await report(deps.reporter, wrong);
  const [first] = rollbacks;
  for (const incident of await incidentsOf(auditor)) await classify(owner, incident);
  if (first) await admit(owner, other, first.incident);
  const incidents = await incidentsOf(auditor);
  const preflights = first ? [await preflight(owner, '2'), await preflight(owner, '3')] : [];
  return {
    wrong,
    incidents: incidents.map(({ id, mechanism = 'none', writes, state }) => ({
      id,
      mechanism,
      writes,
      state,
    })),
    ...(first && { case: { name: CASE, incident: first.incident, redOn: '2', greenOn: '3' } }),
    preflights,
    week: (await auditor.get<{ markdown: string }>('/v1/reviews/preview')).markdown,
  };
}

const isWrong = (row: ActionRow, truth: Truth): boolean =>
  row.state === 'executed' && !truthOf(truth, callIdOf(row) ?? '').expected;

async function report(api: Api, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    await Promise.all(
      ids
        .slice(at, at + AT_ONCE)
        .map((id) =>
          api.post(`/v1/actions/${id}/corrections`, { reason: 'the reference solution has no such call' }),
        ),
    );
  }
}

const incidentsOf = async (api: Api): Promise<Incident[]> =>
  (await api.get<{ incidents: Incident[] }>(`/v1/incidents?agent=${AGENT}`)).incidents;

/** An owner's word where the records alone do not say: it ran unasked, and a narrower grant would have asked. */
async function classify(owner: Api, { id, revision, mechanism }: Incident): Promise<void> {
  if (mechanism !== undefined) return;
  await owner.post(`/v1/incidents/${id}/classify`, {
    revision,
    mechanism: 'over_grant',
    certainty: 'suspected',
    origin: 'agent_error',
    result: 'wrong_write',
  });
}

async function admit(owner: Api, other: Api, incident: string): Promise<void> {
  await owner.post(`/v1/agents/${AGENT}/releases`, textOf('release-3.yaml'));
  for (const name of [TWIN, CASE]) {
    const from = name === CASE ? { from: [incident] } : {};
    await other.post(`/v1/agents/${AGENT}/cases`, { ...parse(textOf(`cases/${name}.yaml`)), ...from });
  }
  await other.post(`/v1/agents/${AGENT}/cases/${CASE}/admit`, { redOn: '2', greenOn: '3' });
}

const preflight = (api: Api, release: string): Promise<Preflight> =>
  api.post(`/v1/preflights?agent=${AGENT}`, textOf(`release-${release}.yaml`));

const textOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** How the loop was closed, in the demo's words. */
export function showLearned(screen: Screen, learned: Learned): void {
  screen.heading('What was learned');
  const { wrong, incidents, preflights } = learned;
  screen.item(
    'Wrong writes',
    `${wrong.length} went through; each was reported, and is in exactly one incident. What people stopped is none.`,
  );
  for (const { id, mechanism, writes, state } of incidents)
    screen.line(`  ${padEnd(id, 16)}${padEnd(mechanism, 14)}${writes} writes, ${state}`);
  if (!learned.case) {
    screen.item('Case', 'Nothing was taken back, so there is nothing to make a case of.');
    return;
  }
  screen.item(
    'Case',
    `${learned.case.name}, from ${learned.case.incident}: red on release 2, green on release 3. Release 3 lets a cancellation run unasked where the desk vouches for that reservation; the recording vouches for none, so it cannot show that release 3 asks less than release 1.`,
  );
  for (const { release, blockers, suite } of preflights) {
    const red = suite.red.map(({ case: name }) => name).join(', ');
    const other = blockers.filter(({ code }) => code !== 'case_red').map(({ code }) => code);
    screen.item(
      `Release ${release}`,
      red
        ? `A start is refused: ${red} is red.`
        : `No case is red${other.length > 0 ? `; still in the way: ${other.join(', ')}` : ''}.`,
    );
  }
}
