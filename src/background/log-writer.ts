import { setTimeout as sleep } from 'node:timers/promises';
import type { RotatingLog } from './rotating-log.ts';
import type { RunJournal } from './run-journal.ts';

/** After this time without an answer to a call, a file system counts as hanging. */
export const PATIENCE_MS = 2000;
const LOOK_MS = 50;
/** How much memory queued samples may take. */
const MOST_WAITING_BYTES = 32 * 2 ** 20;
/** How long a run that is ending keeps writing queued samples. */
const DRAIN_MS = 10_000;

export interface LogWriterOptions {
  readonly log: Pick<RotatingLog, 'append' | 'hurry'>;
  readonly journal: Pick<RunJournal, 'state' | 'change' | 'say' | 'announce' | 'setAnswering'>;
  /** The age of the oldest unanswered call to the log's file system. */
  waitsMs(): number;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Reports why a sample can never be written. */
  complain(text: string): void;
  readonly mostWaitingBytes?: number;
}

/**
 * Writes samples to the log one by one, without blocking the sampling. While the file system hangs or fails, samples
 * are queued in memory. When the queue is full, every second one is dropped, so that the whole period stays covered.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: Buffer[] = [];
  #writing: Promise<void> | undefined;
  #isStalled = false;
  /** One in this many new samples is queued. */
  #keepEvery = 1;
  #received = 0;
  #failure: unknown;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /**
   * Queues a sample. Resolves when it is written or refused, or when the file system does not answer.
   * @throws the error that ends the run: LogError
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

  /** Writes the queued samples if the file system answers. Returns how many are lost. */
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

  /** Waits until nothing is being written, or the file system stops answering. */
  async #settle(): Promise<void> {
    while (this.#writing !== undefined) {
      if (this.#options.waitsMs() >= PATIENCE_MS) {
        this.#reportStall();
        return;
      }
      const look = new AbortController();
      const pause = sleep(LOOK_MS, undefined, { signal: look.signal }).catch(() => undefined);
      await Promise.race([this.#writing, pause]);
      look.abort();
    }
  }

  #reportStall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
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

  /** False if the other queued samples have to wait. */
  async #writeOne(bytes: Buffer): Promise<boolean> {
    const { log, journal, complain } = this.#options;
    const refusal = await log.append(bytes, (append) => journal.announce(append));
    if (this.#isStalled) {
      this.#isStalled = false;
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

  /** Publishes the number of queued samples while writing is paused. */
  #tellWaiting(): void {
    const { journal } = this.#options;
    const kept = journal.state.paused === undefined || this.#waiting.length === 0 ? undefined : this.#waiting.length;
    if (kept !== journal.state.kept) journal.change({ kept });
  }

  /** Queues a sample. When the queue is full, drops every second one, and half as many of the samples to come. */
  #keep(bytes: Buffer): void {
    const { journal, mostWaitingBytes = MOST_WAITING_BYTES } = this.#options;
    if (this.#waiting.length === 0) this.#keepEvery = 1;
    const isLeftOut = ++this.#received % this.#keepEvery !== 0;
    if (!isLeftOut) this.#waiting.push(bytes);
    let leftOut = Number(isLeftOut);
    const total = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (total > mostWaitingBytes && this.#waiting.length > 2) {
      // Keep the first one: it is being written.
      const kept = this.#waiting.filter((_, place) => place % 2 === 0);
      leftOut += this.#waiting.length - kept.length;
      this.#waiting = kept;
      this.#keepEvery *= 2;
    }
    if (leftOut > 0) journal.change({ leftOut: (journal.state.leftOut ?? 0) + leftOut });
  }
}

export function count(samples: number): string {
  return samples === 1 ? '1 sample was' : `${samples} samples were`;
}
