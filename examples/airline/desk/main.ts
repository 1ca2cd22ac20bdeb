import { parseArgs } from 'node:util';
import { loadRecords } from './records.ts';
import { createDesk } from './server.ts';

const USAGE = `Usage: tsx examples/airline/desk/main.ts --jwks <url> [--port 0] [--work-ms 120] [--with-parent]
  The airline: does a write only for a valid per-action credential, checked by the keys at <url>.`;
const RECORDING = new URL('../airline-episodes.jsonl', import.meta.url);

const { values } = parseArgs({
  options: {
    jwks: { type: 'string' },
    port: { type: 'string', default: '0' },
    'work-ms': { type: 'string', default: '120' },
    'with-parent': { type: 'boolean', default: false },
  },
});
if (!values.jwks) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
const desk = await createDesk({
  jwksUrl: values.jwks,
  records: loadRecords(RECORDING),
  workMs: Number(values['work-ms']),
});
const url = await desk.listen({ host: '127.0.0.1', port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ url })}\n`);

const stop = () => void desk.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
// Standard input is a pipe from whoever started it: that one is gone when the pipe ends.
if (values['with-parent']) process.stdin.once('end', stop).once('close', stop).resume();
