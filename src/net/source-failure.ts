/** What a source says could not be learned; the message says what to mend, without secrets. */
export class SourceFailure extends Error {
  /** How long the source wants not to be asked. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceFailure';
    this.retryAfterMs = retryAfterMs;
  }
}
