import { type Api, ApiProblem, type Incident, type RolloutStatus, type Verdict } from './api.ts';
import { keepLooking, type Looking } from './background.ts';

const LOOK_EVERY_MS = 120;

/** A rollback as the service recorded it. */
export interface Rollback {
  segment: string;
  incident: string;
  metric: string;
  because: string;
  eValue: number;
  /** What the e-value had to reach. */
  threshold: number;
  events: number;
  harms: number;
  /** Where harms a day took it back, not the rate: so many are allowed in the time. */
  allowed?: number;
  breachToRevokedMs: number;
  verified: boolean;
}

export interface WatchEvents {
  step(status: RolloutStatus): void;
  rollback(rollback: Rollback): void;
}

export interface WatchDeps {
  id: string;
  auditor: Api;
  /** The stand-in for the release manager. */
  manager: Api;
  events: WatchEvents;
}

/** 1/(alpha·weight): the e-value at which a guardrail fires. */
export const thresholdOf = ({ thresholdLogE }: Pick<Verdict, 'thresholdLogE'>): number =>
  thresholdLogE === null ? Number.POSITIVE_INFINITY : Math.exp(thresholdLogE);

/**
 * Follows the rollout, and approves each gate whose other conditions hold: the stand-in for a release manager, who
 * would look before. Tells of steps and rollbacks once each.
 */
export function watchRollout({
  id,
  auditor,
  manager,
  events,
}: WatchDeps): Looking & { look(): Promise<RolloutStatus> } {
  const told = new Set<string>();
  let step = 0;
  const look = async (): Promise<RolloutStatus> => {
    const status = await auditor.get<RolloutStatus>(`/v1/rollouts/${id}`);
    if (status.step !== step) {
      step = status.step;
      events.step(status);
    }
    const takenBack = status.segments.some(
      ({ state, segment }) => state === 'rolled_back' && !told.has(segment),
    );
    if (takenBack) await tellRollbacks(auditor, id, told, events);
    const left = status.waitsFor.map((wait) => wait.for);
    if (left.length > 0 && left.every((wait) => wait === 'person')) await approve(manager, status);
    return status;
  };
  return { ...keepLooking(LOOK_EVERY_MS, async () => void (await look())), look };
}

async function approve(manager: Api, { id }: RolloutStatus): Promise<void> {
  const reason = 'every other condition of the gate holds (stand-in)';
  await manager.post(`/v1/rollouts/${id}/approve-gate`, { reason }).catch((error: unknown) => {
    // It changed between the look and the approval: look again.
    if (!(error instanceof ApiProblem && error.status === 409)) throw error;
  });
}

async function tellRollbacks(
  auditor: Api,
  id: string,
  told: Set<string>,
  events: WatchEvents,
): Promise<void> {
  const { incidents } = await auditor.get<{ incidents: Incident[] }>(`/v1/incidents?rollout=${id}`);
  for (const incident of incidents) {
    const { segment, evidence, breachToRevokedMs } = incident;
    // The incident opens with the rollback; its measured time and the proof follow in a moment.
    if (segment === undefined || told.has(segment) || breachToRevokedMs === undefined) continue;
    told.add(segment);
    const { verdict } = evidence;
    const byCount = verdict?.firedBy?.includes('rate') === false ? verdict.count : undefined;
    const fired = byCount ?? verdict;
    events.rollback({
      segment,
      incident: incident.id,
      metric: incident.metric ?? 'unknown',
      because: verdict?.segment === '*' ? 'over all segments together' : `in ${segment}`,
      eValue: fired?.eValue ?? 0,
      threshold: fired ? thresholdOf(fired) : Number.POSITIVE_INFINITY,
      events: verdict?.events ?? 0,
      harms: verdict?.harms ?? 0,
      ...(byCount && { allowed: byCount.allowed }),
      breachToRevokedMs,
      verified: incident.verifiedAt !== undefined,
    });
  }
}
