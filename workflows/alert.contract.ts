export const ALERT_WORKFLOW = 'alert';

export interface AlertInput {
  alertId: string;
}

export const alertWorkflowId = (alertId: string): string => `alert/${alertId}`;
