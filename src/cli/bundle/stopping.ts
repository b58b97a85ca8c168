const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

/** What signals ask for: the first one to end soon, with what there is, and the second one to leave at once. */
export class Stopping {
  readonly #soon = new AbortController();
  readonly #leaving = new AbortController();
  #exitCode: number | undefined;
  #isLast = false;
  /** Whether a signal came that asked to leave. */
  isAbandoned = false;
  /** Rejects with the second signal. */
  readonly abandoned: Promise<never>;

  constructor() {
    let abandon: (error: Error) => void = () => undefined;
    this.abandoned = new Promise<never>((_, reject) => {
      abandon = reject;
    });
    // Nobody may be waiting when it comes.
    this.abandoned.catch(() => undefined);
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (this.#exitCode !== undefined || this.#isLast) {
          this.isAbandoned = true;
          this.#leaving.abort();
          abandon(new Error('ended by a second signal'));
        }
        this.#exitCode ??= SIGNAL_EXIT[signal];
        this.#soon.abort();
      });
  }

  /** Aborted by the first signal. */
  get soon(): AbortSignal {
    return this.#soon.signal;
  }

  /** From now on, the next signal asks to leave. Aborted by that. */
  last(): AbortSignal {
    this.#isLast = true;
    return this.#leaving.signal;
  }

  /** That of the first signal; undefined if none came. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }
}
