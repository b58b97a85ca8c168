import { setTimeout as sleep } from 'node:timers/promises';
import type { RotatingLog } from './rotating-log.ts';
import type { RunJournal } from './run-journal.ts';

/** How long a file system may take over a call before it is said not to answer. */
export const PATIENCE_MS = 2000;
const LOOK_MS = 50;
/** What the samples that wait for being written may take in memory. */
const MOST_WAITING_BYTES = 32 * 2 ** 20;
/** For how long a run that ends goes on writing. */
const DRAIN_MS = 10_000;

export interface LogWriterOptions {
  readonly log: Pick<RotatingLog, 'append' | 'hurry'>;
  readonly journal: Pick<RunJournal, 'state' | 'change' | 'say' | 'announce' | 'setAnswering'>;
  /** For how long the oldest call on the log's file system has been under way. */
  waitsMs(): number;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Says what keeps a sample from ever being written. */
  complain(text: string): void;
  readonly mostWaitingBytes?: number;
}

/**
 * Writes samples to the log, one after the other, beside the sampling: while the file system does not answer, or fails,
 * they wait in memory. Where they are too many, every second one is dropped, so that all of the time stays covered.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: Buffer[] = [];
  #writing: Promise<void> | undefined;
  #isLate = false;
  /** While samples wait, one of so many that come is kept. */
  #every = 1;
  #come = 0;
  #failure: unknown;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /**
   * Takes a sample to write. Resolves when it is written or refused, or its file system does not answer. @throws what
   * ends the run, LogError
   */
  async put(text: string): Promise<void> {
    this.#throwFailure();
    this.#keep(Buffer.from(text));
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#settle();
    this.#tellWaiting();
    this.#throwFailure();
  }

  /** Writes what waits, if the file system answers. Returns how many samples are lost. */
  async drain(): Promise<number> {
    this.#options.log.hurry();
    const end = performance.now() + DRAIN_MS;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    while (this.#writing !== undefined && this.#options.waitsMs() < PATIENCE_MS && performance.now() < end)
      await Promise.race([this.#writing, sleep(LOOK_MS)]);
    return this.#waiting.length;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits while something is being written and the file system answers. */
  async #settle(): Promise<void> {
    while (this.#writing !== undefined) {
      if (this.#options.waitsMs() >= PATIENCE_MS) {
        this.#beLate();
        return;
      }
      const look = new AbortController();
      const pause = sleep(LOOK_MS, undefined, { signal: look.signal }).catch(() => undefined);
      await Promise.race([this.#writing, pause]);
      look.abort();
    }
  }

  #beLate(): void {
    if (this.#isLate) return;
    this.#isLate = true;
    this.#options.journal.setAnswering(false);
    this.#pause(`The file system of the log does not answer.`, 'Samples are kept in memory until it does.');
  }

  async #write(): Promise<void> {
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        if (!(await this.#writeOne(next))) return;
        this.#tellWaiting();
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  /** False where the rest has to wait. */
  async #writeOne(bytes: Buffer): Promise<boolean> {
    const { log, journal, complain } = this.#options;
    const refusal = await log.append(bytes, (append) => journal.announce(append));
    if (this.#isLate) {
      this.#isLate = false;
      journal.setAnswering(true);
    }
    if (refusal?.kind === 'failing') {
      this.#pause(refusal.reason, 'Samples are kept in memory until it can be written to again.');
      return false;
    }
    this.#waiting.shift();
    if (refusal === undefined) {
      this.#resume();
      journal.change({ samples: journal.state.samples + 1 });
    } else if (refusal.kind === 'full') {
      this.#waiting.length = 0;
      this.#pause(refusal.reason, 'Nothing is written until there is space again.');
      return false;
    } else complain(refusal.reason);
    return true;
  }

  #pause(reason: string, consequence: string): void {
    const { journal, nowMs } = this.#options;
    if (journal.state.paused === undefined) {
      journal.say('ERROR', `${reason} ${consequence}`);
      journal.change({ paused: reason, pausedMs: nowMs() });
    } else journal.change({ paused: reason });
  }

  #resume(): void {
    const { journal } = this.#options;
    const { paused, leftOut = 0 } = journal.state;
    if (paused === undefined) return;
    const lost =
      leftOut === 0 ? '' : ` ${leftOut} samples of the time in between were left out: there was no memory for them.`;
    journal.say('INFO', `Writing again.${lost}`);
    journal.change({ paused: undefined, pausedMs: undefined, leftOut: undefined });
  }

  /** How many wait stands in the status while they do. */
  #tellWaiting(): void {
    const { journal } = this.#options;
    const kept = journal.state.paused === undefined || this.#waiting.length === 0 ? undefined : this.#waiting.length;
    if (kept !== journal.state.kept) journal.change({ kept });
  }

  /**
   * Has a sample wait with the others. Where they are too many, every second one is dropped, and of those that come
   * from then on too.
   */
  #keep(bytes: Buffer): void {
    const { journal, mostWaitingBytes = MOST_WAITING_BYTES } = this.#options;
    if (this.#waiting.length === 0) this.#every = 1;
    const isLeftOut = ++this.#come % this.#every !== 0;
    if (!isLeftOut) this.#waiting.push(bytes);
    let leftOut = Number(isLeftOut);
    const total = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (total > mostWaitingBytes && this.#waiting.length > 2) {
      // The first stays: it is being written.
      const kept = this.#waiting.filter((_, place) => place % 2 === 0);
      leftOut += this.#waiting.length - kept.length;
      this.#waiting = kept;
      this.#every *= 2;
    }
    if (leftOut > 0) journal.change({ leftOut: (journal.state.leftOut ?? 0) + leftOut });
  }
}

export function count(samples: number): string {
  return samples === 1 ? '1 sample was' : `${samples} samples were`;
}
