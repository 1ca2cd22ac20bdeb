import type { Sql } from '../db/database.ts';
import type { Companion } from '../domain/manifest/companions.ts';
import { agentsWordText, onAgentsWord } from '../domain/subject.ts';
import { manifestOf } from '../records/manifest.ts';
import type { FrozenPlan, RolloutRecord } from '../records/rollout.ts';

/** What does not keep a rollout from starting, and whoever starts it should know. */
export async function preflightNotes(
  db: Sql,
  { agent, plan }: Pick<RolloutRecord, 'agent' | 'plan'>,
): Promise<string[]> {
  const segments = onAgentsWord(await manifestOf(db, agent), plan.subject);
  return [
    ...agentsWordNote(segments, plan),
    ...(plan.companions ?? []).flatMap((one) => dayLimitNote(one, plan)),
    ...baselineNotes(plan),
  ];
}

/** Known only when the baseline is: until then it is said what the figure will be, and what to do where there will be none. */
function dayLimitNote({ metric, declared }: Companion, { steps, guardrails }: FrozenPlan): string[] {
  const exposure = Object.entries(steps.at(-1)?.exposure ?? {});
  const open = exposure.flatMap(([name, part]) => (part > 0 && !Object.hasOwn(declared, name) ? name : []));
  if (open.length === 0) return [];
  const limit = guardrails.find((guardrail) => guardrail.metric === metric)?.limit;
  return [
    `Harms a day of ${metric} in ${open.join(', ')}: allowed will be ${typeof limit === 'number' ? limit : 'the limit by the baseline, a share'} of what begins in a day of the baseline. Where nothing begins, its rate can be diluted by harmless writes: set perDay in its guardrail`,
  ];
}

function agentsWordNote(segments: readonly string[], plan: FrozenPlan): string[] {
  if (segments.length === 0) return [];
  return [
    `${agentsWordText(segments)}. At most ${plan.newSubjectsPerHour} new ones an hour are assigned to an arm, the others stay in control (rollout.newSubjectsPerHour). Better: subject: assertion.sub, or context.<attribute>`,
  ];
}

/** Their limits are not known yet, and may never be: said on the first day. */
const baselineNotes = ({ guardrails }: FrozenPlan): string[] =>
  guardrails.flatMap(({ metric, limit }) =>
    typeof limit === 'number'
      ? []
      : `${metric} is judged against the baseline of each segment, plus ${Math.round(limit.baseline.margin * 100)} %. Where too little happens in the baseline there will be no limit, and nothing is taken back by it: rollout status says how it stands`,
  );
