import { type App, type Receiver, ReceiverMultipleAckError } from '@slack/bolt';
import type { Services } from '../services.ts';
import { parseSlackBody, type SlackHttpRequest, signatureProblem } from './http-request.ts';

/** What goes back to Slack. */
export interface SlackHttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Slack's own are far below. */
export const SLACK_BODY_BYTES_MAX = 1_048_576;
/** Slack gives up then; the person is shown a failure for any answer that is not 2xx. */
const ACK_WITHIN_MS = 3_000;
const WARN_EVERY_MS = 60_000;

/**
 * Slack's requests by HTTP, for Bolt: refuses what Slack did not sign, and answers with the listener's ack. Nothing is
 * remembered of a request that Slack sends again: what it asks for counts once because the verbs do.
 */
export class HttpReceiver implements Receiver {
  readonly #signingSecret: string;
  readonly #services: Pick<Services, 'clock' | 'log'>;
  #app: App | undefined;
  #open = false;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(signingSecret: string, services: Pick<Services, 'clock' | 'log'>) {
    this.#signingSecret = signingSecret;
    this.#services = services;
  }

  init(app: App): void {
    this.#app = app;
  }

  async start(): Promise<void> {
    this.#open = true;
  }

  async stop(): Promise<void> {
    this.#open = false;
  }

  /** Answers one request to `POST /slack/events`; never throws. */
  async handle(request: SlackHttpRequest): Promise<SlackHttpAnswer> {
    if (request.rawBody.length > SLACK_BODY_BYTES_MAX) return plain(413, 'The body is over 1 MiB');
    const body = parseSlackBody(request);
    // Slack's check of the certificate comes unsigned, and nothing follows from it.
    if (body?.ssl_check !== undefined) return plain(200, '');
    const problem = signatureProblem(this.#signingSecret, request, this.#services.clock.now());
    if (problem !== undefined) return this.#refuse(problem);
    if (body === undefined) return plain(400, 'The body is neither JSON of an object nor such a form');
    if (body.type === 'url_verification') return plain(200, String(body.challenge ?? ''));
    if (!this.#app || !this.#open) return plain(503, 'Portcullis is not ready for Slack: try again');
    return this.#process(this.#app, body, retryOf(request));
  }

  #process(app: App, body: Record<string, unknown>, retry: Retry): Promise<SlackHttpAnswer> {
    const { log } = this.#services;
    if (retry.retryNum !== undefined) log.debug(retry, 'Slack sends a request again');
    return new Promise((resolve) => {
      let acked = false;
      let answered = false;
      const answer = (given: SlackHttpAnswer): boolean => {
        if (answered) return false;
        answered = true;
        clearTimeout(late);
        resolve(given);
        return true;
      };
      const late = setTimeout(() => answer(plain(503, 'Not answered within 3 seconds')), ACK_WITHIN_MS);
      const ack = async (response?: unknown) => {
        if (acked) throw new ReceiverMultipleAckError();
        acked = true;
        // What was to be done is done: the person saw a failure, and pressing again is told that it counts already.
        if (!answer(ackAnswer(response))) log.warn('a request of Slack was acknowledged too late');
      };
      app.processEvent({ body, ack, ...retry }).then(
        () => answer(plain(500, 'Not handled')),
        (error: unknown) => {
          log.error({ err: error }, 'a request of Slack failed');
          answer(plain(500, 'Not handled'));
        },
      );
    });
  }

  /** A wrong secret must be seen by who runs the service; a flood of forgeries must not fill the log. */
  #refuse(problem: string): SlackHttpAnswer {
    const { clock, log } = this.#services;
    const nowMs = clock.now().getTime();
    if (nowMs - this.#warnedAtMs >= WARN_EVERY_MS) {
      this.#warnedAtMs = nowMs;
      log.warn({ problem }, 'a request to /slack/events was refused');
    }
    return plain(401, `Refused: ${problem}`);
  }
}

type Retry = { retryNum?: number; retryReason?: string };

function retryOf({ headers }: SlackHttpRequest): Retry {
  const { 'x-slack-retry-num': num, 'x-slack-retry-reason': reason } = headers;
  if (typeof num !== 'string') return {};
  return { retryNum: Number(num), ...(typeof reason === 'string' ? { retryReason: reason } : {}) };
}

const plain = (status: number, body: string): SlackHttpAnswer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});

/** Text is shown to the person; an object says what becomes of the modal, or lists options. */
function ackAnswer(response: unknown): SlackHttpAnswer {
  if (response === undefined || response === null) return plain(200, '');
  if (typeof response === 'string') return plain(200, response);
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(response),
  };
}
