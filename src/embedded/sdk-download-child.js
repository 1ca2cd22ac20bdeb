// A process of its own, started by sdk-download.ts: plain JavaScript, so that it starts in half a second.
const [server, downloadDir] = process.argv.slice(2);

try {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const executable = { type: 'cached-download', downloadDir };
  const environment =
    server === 'dev-server'
      ? await TestWorkflowEnvironment.createLocal({ server: { executable } })
      : await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.teardown();
  answer({});
} catch (error) {
  answer({ error: error instanceof Error ? error.message : String(error) });
}

function answer(message) {
  process.send?.(message, () => process.exit(0));
}
