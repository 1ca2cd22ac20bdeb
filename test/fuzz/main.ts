import { parseArgs } from 'node:util';
import { ROLES, type Role } from '../../src/actor.ts';
import { withKnown } from './document.ts';
import { findSchemathesis, type Report, runSchemathesis } from './schemathesis.ts';
import { type FuzzedService, startFuzzedService } from './service.ts';

/** All callers together. */
const SECONDS = 300;
const SECONDS_MIN = 5;
const SEED = 20_261_129;
/** Without a token. */
const NOBODY = 'nobody';
/** Whoever may change most comes last, so that the others find most of what was given. */
const CALLERS = [NOBODY, 'agent', 'auditor', 'approver', 'admin', 'release-manager', 'on-call'] as const;

interface Row extends Report {
  caller: string;
  /** Answers by the first digit of their status, as the service counts them. */
  answers: Readonly<Record<string, number>>;
  /** 5xx by "503 PUT /v1/agents/:agent". */
  failed: readonly string[];
  logged: string;
}

const say = (line = '') => console.log(line);

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      caller: { type: 'string', multiple: true },
    },
  });
  const callers = CALLERS.filter((caller) => values.caller?.includes(caller) ?? true);
  const unknown = ROLES.filter((role) => !CALLERS.some((caller) => caller === role));
  if (callers.length === 0 || unknown.length > 0)
    throw new Error(
      `Callers are ${CALLERS.join(', ')}; not among them: ${unknown.join(', ') || values.caller}`,
    );
  const seed = Number(values.seed ?? SEED);
  const seconds = Math.max(SECONDS_MIN, Math.round(Number(values.seconds ?? SECONDS) / callers.length));
  const python = await findSchemathesis(say);
  say(`Seed ${seed}; ${seconds} s for each of ${callers.join(', ')}`);
  const service = await startFuzzedService();
  const rows: Row[] = [];
  try {
    for (const caller of callers) {
      const row = await fuzz(service, { caller, python, seconds, seed });
      rows.push(row);
      if (!isClean(row)) say(`\n${caller}:\n${row.text}\n${row.failed.join('\n')}\n${row.logged}`);
    }
  } finally {
    await service.stop();
  }
  say(tableOf(rows));
  return rows.every(isClean);
}

async function fuzz(
  service: FuzzedService,
  { caller, ...how }: { caller: (typeof CALLERS)[number]; python: string; seconds: number; seed: number },
): Promise<Row> {
  const document = withKnown(service.document, await service.restore());
  await service.logged();
  const before = await service.answers();
  const token = caller === NOBODY ? undefined : service.tokens[caller satisfies Role];
  const report = await runSchemathesis({ ...how, url: service.url, document, token });
  const answers: Record<string, number> = {};
  const failed: string[] = [];
  for (const [answer, count] of await service.answers()) {
    const more = count - (before.get(answer) ?? 0);
    const kind = answer.charAt(0);
    if (more > 0) answers[kind] = (answers[kind] ?? 0) + more;
    if (more > 0 && kind === '5') failed.push(`${more} x ${answer}`);
  }
  return { ...report, caller, answers, failed, logged: await service.logged() };
}

/** The fuzzer sees what it was answered, the service what it answered: both must find nothing. */
const isClean = ({ findings, failed, requests }: Row): boolean =>
  findings === 0 && failed.length === 0 && requests > 0;

function tableOf(rows: readonly Row[]): string {
  const head = ['caller', 'operations', 'requests', '2xx', '4xx', '5xx', 'findings'];
  const cells = rows.map(({ caller, operations, requests, answers, findings }) =>
    [caller, operations, requests, answers[2] ?? 0, answers[4] ?? 0, answers[5] ?? 0, findings].map(String),
  );
  const lines = [head, ...cells].map(([first = '', ...rest]) =>
    [first.padEnd(16), ...rest.map((cell) => cell.padStart(11))].join(''),
  );
  return ['', ...lines].join('\n');
}

const clean = await main();
say(clean ? '\nNo 5xx, and every answer is as the document says.' : '\nThere are findings: see above.');
process.exit(clean ? 0 : 1);
