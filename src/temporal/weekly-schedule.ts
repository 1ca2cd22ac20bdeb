import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Logger } from 'pino';
import { WEEKLY_REVIEW_SCHEDULE, WEEKLY_REVIEW_WORKFLOW } from '../../workflows/weekly-review.contract.ts';
import { QUEUES } from '../domain/queues.ts';

const HOUR_UTC = 5;

/** Of a schedule that did not run: the last missed time within this is made up for, by one page that says so. */
const CATCH_UP = '7d' as const;

/**
 * Makes the schedule of the weekly review, or brings it to what this version says: Mondays at 05:00 UTC, one run at a time.
 * What was missed longer is not made up for run by run: the next page names the weeks.
 */
export async function keepWeeklySchedule(client: Client, log: Logger): Promise<void> {
  const options = {
    spec: { calendars: [{ dayOfWeek: 'MONDAY' as const, hour: HOUR_UTC }], timezone: 'UTC' },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WEEKLY_REVIEW_WORKFLOW,
      workflowId: WEEKLY_REVIEW_SCHEDULE,
      taskQueue: QUEUES.alerts,
      args: [] as [],
    },
  };
  try {
    await client.schedule.create({ scheduleId: WEEKLY_REVIEW_SCHEDULE, ...options }).catch(async (error) => {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const handle = client.schedule.getHandle(WEEKLY_REVIEW_SCHEDULE);
      await handle.update(({ state }) => ({ ...options, state }));
    });
  } catch (error) {
    log.warn(
      { err: error },
      'the schedule of the weekly review could not be kept; it is tried at the next start',
    );
  }
}
