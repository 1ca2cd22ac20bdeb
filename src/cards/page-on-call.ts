import type { AlertFacts } from './alert-facts.ts';

/** What on-call is woken for, and how loudly; all else is told in Slack and by webhook only. */
const SEVERITY: Readonly<Record<string, 'critical' | 'error' | 'warning'>> = {
  'rollout.rolled_back': 'critical',
  'switch.disabled': 'critical',
  'action.unknown': 'error',
  'rollout.held': 'warning',
  'action.break_glass': 'warning',
  'action.unreached': 'warning',
};
const SUMMARY_MAX = 1_024;

/** An event of PagerDuty's Events API v2, without the routing key (developer.pagerduty.com/docs/events-api-v2-overview). */
export interface PagedEvent {
  event_action: 'trigger' | 'resolve';
  dedup_key: string;
  payload?: {
    summary: string;
    source: string;
    severity: string;
    timestamp: string;
    component: string;
    group?: string;
    class: string;
    custom_details: unknown;
  };
  links?: { href: string; text: string }[];
}

/**
 * What on-call is paged with; undefined: nobody is woken for it. Sent again it is the same event: the key is the alert's, or the
 * scope's of a switch, so that enabling it resolves what disabling it triggered.
 */
export function pagedEvent(alert: AlertFacts): PagedEvent | undefined {
  const { id, kind, agent, at, facts, rollout, publicUrl } = alert;
  const ofSwitch = `portcullis/switch/${facts.scope ?? 'everything'}`;
  if (kind === 'switch.enabled') return { event_action: 'resolve', dedup_key: ofSwitch };
  const severity = SEVERITY[kind];
  if (severity === undefined) return undefined;
  const page = rollout ? `${publicUrl}/rollouts/${encodeURIComponent(rollout)}` : publicUrl;
  return {
    event_action: 'trigger',
    dedup_key: kind === 'switch.disabled' ? ofSwitch : `portcullis/alert/${id}`,
    payload: {
      summary: summaryOf(alert).slice(0, SUMMARY_MAX),
      source: publicUrl,
      severity,
      timestamp: at.toISOString(),
      component: agent ?? 'everything',
      ...(facts.segment !== undefined && { group: facts.segment }),
      class: kind,
      custom_details: facts,
    },
    ...(publicUrl.startsWith('http') && { links: [{ href: page, text: 'Open in Portcullis' }] }),
  };
}

function summaryOf({ kind, agent, facts }: AlertFacts): string {
  const who = agent === null ? 'everything' : agent;
  switch (kind) {
    case 'rollout.rolled_back':
      return `${who}: ${facts.segment} was rolled back: ${facts.because ?? 'by hand'}`;
    case 'rollout.held':
      return `${who}: the rollout is held: ${facts.because ?? facts.waitsFor.join('; ')}`;
    case 'switch.disabled':
      return `${facts.scope ?? who} was disabled by ${facts.actor ?? 'somebody'}: ${facts.reason ?? ''}`;
    case 'action.unknown':
      return `${who}: nobody knows how a write ended: ${facts.summary ?? facts.action ?? ''}`;
    case 'action.break_glass':
      return `${who}: ${facts.person ?? 'somebody'} approved alone: ${facts.summary ?? ''}`;
    default:
      return `${who}: nobody who is needed can be reached: ${facts.summary ?? ''}`;
  }
}
