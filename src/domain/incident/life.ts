export const INCIDENT_STATES = ['open', 'classified', 'reproduced', 'guarded', 'closed'] as const;
export type IncidentStage = (typeof INCIDENT_STATES)[number];

/** Working days until an unclassified incident is overdue. */
export const CLASSIFY_WITHIN_DAYS = 3;

/** Whether a state comes after another in the life of an incident. */
export const isAfter = (state: IncidentStage, other: IncidentStage): boolean =>
  INCIDENT_STATES.indexOf(state) > INCIDENT_STATES.indexOf(other);
