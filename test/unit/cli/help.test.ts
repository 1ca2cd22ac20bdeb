import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { Cli } from '../../../src/cli/cli.ts';
import { COMMAND_NAMES } from '../../../src/cli/command-files.ts';
import { generatedDocs } from '../../../src/cli/docs.ts';
import { EXIT_CODES, EXIT_OF_ERROR } from '../../../src/cli/exit-codes.ts';
import { asCliError, exitOf, failureText } from '../../../src/cli/failure.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { AppError, ERRORS } from '../../../src/errors.ts';
import { runInTest, tooLong } from './cli-io.ts';

/** Every command that does something by itself. */
function doing(command: Command, path: string[] = []): string[][] {
  const does = Reflect.get(command, '_actionHandler') ? [path] : [];
  return [...does, ...command.commands.flatMap((child) => doing(child, [...path, child.name()]))];
}

const io = { out: () => {}, err: () => {} } as unknown as Cli['io'];
const COMMANDS = doing(await buildProgram(new Cli(io, COMMAND_NAMES)));

describe('--help', () => {
  test('groups commands by who uses them and lists the exit codes', async () => {
    const { code, out } = await runInTest(['--help']);
    expect(code).toBe(0);
    for (const group of ['To begin:', 'For release managers:', 'For on-call:']) expect(out).toContain(group);
    for (const { code: number } of Object.values(EXIT_CODES))
      expect(out).toMatch(new RegExp(`^  ${number}  `, 'm'));
    expect(tooLong(out)).toEqual([]);
  });

  test('every command of the issue is there', () => {
    expect(COMMANDS.map((path) => path.join(' ')).sort()).toMatchInlineSnapshot(`
      [
        "action ask",
        "action correct",
        "action list",
        "action show",
        "adopt",
        "apply",
        "approvals approve",
        "approvals deny",
        "approvals edit",
        "approvals like",
        "approvals list",
        "approvals review",
        "approvals reviews",
        "approvals standing list",
        "approvals standing revoke",
        "approvals stats",
        "autonomy confirm",
        "autonomy list",
        "autonomy refuse",
        "autonomy take-back",
        "business",
        "cases add",
        "cases admit",
        "cases expect",
        "cases export",
        "cases import",
        "cases list",
        "cases retire",
        "cases show",
        "cases strength",
        "cases test",
        "cases unreproduced",
        "completion",
        "deputy add",
        "deputy list",
        "deputy remove",
        "disable",
        "doctor",
        "enable",
        "events",
        "follow-ups claim",
        "follow-ups commit",
        "follow-ups drop",
        "follow-ups list",
        "follow-ups propose",
        "follow-ups verify",
        "follow-ups waive",
        "group list",
        "guardrail backtest",
        "incidents classify",
        "incidents close",
        "incidents list",
        "incidents mechanisms",
        "incidents merge",
        "incidents open",
        "incidents show",
        "incidents unmerge",
        "init",
        "installation set",
        "installation show",
        "keys rotate",
        "log export",
        "log show",
        "log tail",
        "log verify",
        "migrate",
        "migrate status",
        "outcome record",
        "posture",
        "preflight",
        "rates apply",
        "rates show",
        "receipt get",
        "receipt key",
        "receipt verify",
        "recover",
        "replay",
        "retention hold",
        "retention release",
        "retention status",
        "reviews acknowledge",
        "reviews comment",
        "reviews cycle list",
        "reviews cycle second",
        "reviews cycle show",
        "reviews cycle write",
        "reviews list",
        "reviews make",
        "reviews preview",
        "reviews show",
        "reviews verify",
        "rollout accept-arms",
        "rollout advance",
        "rollout approve-gate",
        "rollout ease",
        "rollout exclude",
        "rollout explain",
        "rollout init",
        "rollout pause",
        "rollout reenter",
        "rollout reject-gate",
        "rollout report",
        "rollout resume",
        "rollout rollback",
        "rollout simulate",
        "rollout start",
        "rollout status",
        "schema",
        "source test",
        "stats compare",
        "stats e-value",
        "subject erase",
        "system",
        "token create",
        "token list",
        "token revoke",
        "try",
        "up",
      ]
    `);
  });

  test.each(COMMANDS.map((path) => path.join(' ')))('of "%s" has an example', async (path) => {
    const { code, out } = await runInTest([...path.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toContain('Example:\n  $ ');
    expect(out).toContain('--output <format>');
  });

  test('the generated pages of docs/ are up to date (npx tsx src/cli/docs.ts)', async () => {
    for (const [path, text] of Object.entries(await generatedDocs()))
      expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('exit codes', () => {
  test('are different numbers, and every error of the service has one', () => {
    const numbers = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Object.keys(EXIT_OF_ERROR).sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test.each([
    [['nonsense'], 2],
    [['action'], 2],
    [['action', 'shw', 'x'], 2],
    [['--output', 'xml', 'doctor'], 2],
    [['rollout', 'start', 'desk', '2'], 2],
    [['disable', 'nonsense/x/y', '--reason', 'x'], 2],
    [['action', 'ask', 'a', 't', '--args', '{"a":1,"a":2}'], 2],
    [['outcome', 'record', 'a'], 2],
    [['token', 'create', '--role', 'king'], 2],
    [['apply', 'no-such.yaml'], 2],
    [['token', 'create', '--role', 'admin', '--bootstrap'], 2],
    [['--version'], 0],
    [[], 0],
  ] as const)('%j ends with %d', async (argv, code) => {
    const result = await runInTest(argv);
    expect(result.code).toBe(code);
    if (code === 0) return;
    expect(result.err).not.toBe('');
    const { out, err } = await runInTest([...argv, '--output', 'json']);
    expect(out).toBe('');
    expect(JSON.parse(err)).toMatchObject({
      error: { exit: 'usage', message: expect.stringMatching(/^\S/), details: expect.anything() },
    });
  });

  test('wrong usage says what is wrong and how to see what is right', async () => {
    const { err } = await runInTest(['action', 'lst']);
    expect(err).toBe(
      "Unknown command 'lst' (Did you mean list?)\nHint: Add --help: it shows what may be written\n",
    );
  });

  test('an error code this version does not know goes by its status', () => {
    expect([401, 403, 404, 409, 422, 500, 503].map((status) => exitOf('new_code', status))).toEqual([
      'not-allowed',
      'not-allowed',
      'usage',
      'refused',
      'usage',
      'unreachable',
      'unreachable',
    ]);
  });
});

describe('failures', () => {
  test('say what, how to mend it, and the code', () => {
    const text = failureText(asCliError(new AppError('store_down', 'Cannot ask: the database is away')));
    expect(text).toBe(
      'Cannot ask: the database is away\nHint: The database does not answer: nothing was recorded, try again\nCode: store_down',
    );
  });

  test('a refused connection says what to do', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await runInTest(['action', 'list', '--url', url]);
    expect(code).toBe(EXIT_CODES.unreachable.code);
    expect(err).toBe(
      `Portcullis does not answer at ${url} (ECONNREFUSED)\nHint: Start it with \`portcullis up\`, or set PORTCULLIS_URL\n`,
    );
  });

  test('with --output json are one object on standard error', async () => {
    const { out, err } = await runInTest([
      'action',
      'list',
      '--url',
      'http://127.0.0.1:1',
      '--output',
      'json',
    ]);
    expect(out).toBe('');
    expect(JSON.parse(err)).toMatchObject({ error: { exit: 'unreachable' } });
  });
});
