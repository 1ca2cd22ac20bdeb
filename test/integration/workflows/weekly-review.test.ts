import pino from 'pino';
import { expect, test } from 'vitest';
import { createReviewActivities } from '../../../activities/reviews.ts';
import { noteBuild } from '../../../src/records/worker-builds.ts';
import { latestReview } from '../../../src/reviews/make.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { keepWeeklySchedule } from '../../../src/temporal/weekly-schedule.ts';
import { startWorker } from '../../../src/temporal/worker.ts';
import { WEEKLY_REVIEW_SCHEDULE } from '../../../workflows/weekly-review.contract.ts';
import { startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices } from '../../support/services.ts';
import { quietTemporalLogs } from '../../support/test-server.ts';

test('the schedule of the weekly review, kept twice and triggered, puts a page into the store', async () => {
  quietTemporalLogs();
  const services = await createTestServices();
  const temporal = await startOwnTemporal();
  const { client } = temporal;
  const log = pino({ level: 'silent' });
  const bundle = await workflowBundle();
  const worker = startWorker({
    access: { address: temporal.server.address },
    namespace: 'default',
    bundle,
    activities: createReviewActivities({ services }),
    slots: { approvals: 2, rollouts: 2, alerts: 2, callbacks: 2 },
    client,
    log,
    noteBuild: () => noteBuild(services.db.sql, bundle.buildId),
    serves: async () => {},
  });
  try {
    await until('the build serves', async () => worker.state().state === 'serving');
    await keepWeeklySchedule(client, log);
    await keepWeeklySchedule(client, log);
    await client.schedule.getHandle(WEEKLY_REVIEW_SCHEDULE).trigger();
    await until('a page', async () => (await latestReview(services.db.sql)) !== undefined);
    expect(await latestReview(services.db.sql)).toMatchObject({
      version: 1,
      week: expect.stringMatching(/-W/),
    });
  } finally {
    await worker.stop();
    await temporal.stop();
    await services.close();
  }
});
