import { emitKeypressEvents } from 'node:readline';
import type { FirstCard } from './answer-key.ts';
import type { ActionRow } from './api.ts';
import { type Screen, wrap } from './screen.ts';

const ANSWER_WITHIN_MS = 5_000;
const INNER = 72;

/** The first card, whole; on a terminal the viewer may answer it within five seconds. */
export const showCard =
  (screen: Screen): FirstCard =>
  async (action) => {
    screen.line();
    screen.line('The first card, as a person of the desk gets it (in Slack, on a page, by CLI):');
    for (const text of cardLines(action)) screen.line(text);
    if (!screen.interactive) return undefined;
    screen.line('Your answer within 5 s: a = approve, d = deny. Else the answer key answers.');
    const verdict = await keyWithin(ANSWER_WITHIN_MS);
    screen.line(verdict ? `You said: ${verdict}.` : 'The answer key answers.');
    return verdict;
  };

function cardLines(action: ActionRow): string[] {
  const { summary, consequence, risk, reversibility, undo, args, segment, release, expiresAt } = action;
  const facts = [
    summary,
    ...(consequence ? [`Then: ${consequence}`] : []),
    `Risk ${risk ?? '?'}, ${reversibility ?? 'irreversible'}${undo ? `. Undo: ${undo}` : ''}`,
    ...Object.entries(args ?? {}).map(([name, value]) => `  ${name}: ${plain(value)}`),
    `Segment ${segment ?? 'default'}, release ${release ?? '-'}, seen as ${action.argsDigest.slice(0, 12)}…`,
    ...(expiresAt ? [`Expires at ${expiresAt.slice(11, 19)} UTC if nobody answers`] : []),
  ];
  const lines = facts.flatMap((fact) => wrapHard(fact, INNER));
  return [
    `┌${'─'.repeat(INNER + 2)}┐`,
    ...lines.map((text) => `│ ${text.padEnd(INNER)} │`),
    `└${'─'.repeat(INNER + 2)}┘`,
  ];
}

const plain = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(plain).join('; ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(plain).join(' ');
};

/** Wraps, and cuts words that are longer than a line. */
const wrapHard = (text: string, width: number): string[] =>
  wrap(text.trimStart(), width - indentOf(text))
    .flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
    .map((line) => ' '.repeat(indentOf(text)) + line);

const indentOf = (text: string): number => text.length - text.trimStart().length;

function keyWithin(ms: number): Promise<'approve' | 'deny' | undefined> {
  const { stdin } = process;
  return new Promise((resolve) => {
    const done = (verdict?: 'approve' | 'deny') => {
      clearTimeout(timer);
      stdin.off('keypress', onKey).pause();
      stdin.setRawMode?.(false);
      resolve(verdict);
    };
    const onKey = (_: unknown, key: { name?: string; ctrl?: boolean }) => {
      if (key.ctrl && key.name === 'c') process.kill(process.pid, 'SIGINT');
      else if (key.name === 'a') done('approve');
      else if (key.name === 'd') done('deny');
    };
    const timer = setTimeout(() => done(), ms);
    emitKeypressEvents(stdin);
    stdin.setRawMode?.(true);
    stdin.on('keypress', onKey).resume();
  });
}
