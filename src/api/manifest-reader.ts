import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Agent } from '../domain/agent.ts';
import type { WholeManifestKind } from '../domain/manifest/manifest.ts';
import { formatProblems } from '../domain/problem.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { Turns } from '../turns.ts';
import { type ManifestAnswer, type ManifestQuestion, readAside } from './read-aside.ts';

/** A manifest of this length is read within a few milliseconds; a longer one goes to a thread of its own. */
const HERE_LENGTH_MAX = 8_192;
const ANSWER_WITHIN_MS = 30_000;
/** Whoever applies has asked before what it would change. */
const KEPT = 4;

interface Waiting {
  resolve(answer: ManifestAnswer): void;
  reject(error: unknown): void;
}

/** Reads and checks what is applied, so that a large manifest holds nobody else's request. */
export class ManifestReader {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #asked = 0;
  readonly #kept = new Map<string, ManifestAnswer>();

  /** @throws AppError `manifest_invalid` with every problem */
  async agent(body: string | Record<string, unknown>): Promise<Agent> {
    return (await this.#read('agent', body)) as Agent;
  }

  /** @throws AppError `manifest_invalid` with every problem */
  async release(body: string | Record<string, unknown>, against: Agent): Promise<Release> {
    return (await this.#read('release', body, against)) as Release;
  }

  /** Ends the thread; whoever waits is told. */
  async close(): Promise<void> {
    this.#fail(new AppError('internal', 'The service stops: nothing was applied'));
  }

  async #read(
    kind: WholeManifestKind,
    body: string | Record<string, unknown>,
    against?: Agent,
  ): Promise<unknown> {
    const isValue = typeof body !== 'string';
    const question: ManifestQuestion = {
      kind,
      file: `${kind}.yaml`,
      text: isValue ? JSON.stringify(body) : body,
      isValue,
      ...(against !== undefined && { agent: JSON.stringify(against) }),
    };
    const length = question.text.length + (question.agent?.length ?? 0);
    const answer = length <= HERE_LENGTH_MAX ? readAside(question) : await this.#askOnce(question);
    if (answer.ok) {
      const turns = new Turns();
      const value: unknown = JSON.parse(answer.value);
      await turns.next();
      return value;
    }
    const { problems } = answer;
    throw new AppError('manifest_invalid', formatProblems(problems), { problems });
  }

  async #askOnce(question: ManifestQuestion): Promise<ManifestAnswer> {
    const { kind, text, isValue, agent = '' } = question;
    const key = createHash('sha256').update(`${kind} ${isValue} ${agent}\n${text}`).digest('base64');
    const answer = this.#kept.get(key) ?? (await this.#ask(question));
    this.#kept.delete(key);
    this.#kept.set(key, answer);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return answer;
  }

  #ask(question: ManifestQuestion): Promise<ManifestAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new AppError('manifest_invalid', 'The manifest takes too long to check: make it smaller'));
      }, ANSWER_WITHIN_MS);
      const done = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      this.#waiting.set(id, {
        resolve: (answer) => done(() => resolve(answer)),
        reject: (error) => done(() => reject(error)),
      });
      this.#thread().postMessage({ id, question });
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./manifest-thread.js', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, answer }: { id: number; answer: ManifestAnswer }) => {
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    worker.on('error', (error) => this.#fail(error));
    this.#worker = worker;
    return worker;
  }

  /** Nobody can tell which question a thread hangs on: all are told, and the next one gets a new thread. */
  #fail(error: unknown): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
