import { setTimeout as sleep } from 'node:timers/promises';
import type { Sample } from '../model/sample.ts';
import type { Piece } from '../recording/write.ts';
import type { LogFormat } from './log-format.ts';
import type { RotatingLog } from './rotating-log.ts';
import type { RunState } from './run-file.ts';
import type { RunJournal } from './run-journal.ts';

/** After this time without an answer to a call, a file system counts as hanging. */
export const PATIENCE_MS = 2000;
const LOOK_MS = 50;
/** How much memory queued samples may take. */
const MOST_WAITING_BYTES = 32 * 2 ** 20;
/** How long a run that is ending keeps writing queued samples. */
const DRAIN_MS = 10_000;

/** What a writer reports of itself. */
export type WritingState = Pick<RunState, 'samples' | 'paused' | 'pausedMs' | 'kept' | 'leftOut'>;

/** Takes the reports of a writer. */
export interface Journal extends Pick<RunJournal, 'say' | 'announce' | 'setAnswering'> {
  readonly state: WritingState;
  change(change: Partial<WritingState>): void;
}

export interface LogWriterOptions {
  readonly log: Pick<RotatingLog, 'append' | 'hurry'>;
  readonly format: LogFormat;
  readonly journal: Journal;
  /** The age of the oldest unanswered call to the log's file system. */
  waitsMs(): number;
  /** How long to wait for a sample to be written before the next one is taken, unless the file system hangs. */
  readonly mostMs: number;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Reports why a sample can never be written. */
  complain(text: string): void;
  readonly mostWaitingBytes?: number;
}

interface Waiting {
  readonly piece: Piece;
  /** How many it has: the end of a log has none. */
  readonly samples: 0 | 1;
  /** Kept while it may turn out that the piece has to be made anew. */
  readonly sample?: Sample | undefined;
}

/**
 * Writes samples to the log one by one, without blocking the sampling. While the file system hangs or fails, or is full
 * and the format waits for space, samples are queued in memory, as they will be written. When the queue is full, every
 * second one is dropped, or every second group of those that continue each other, so that the whole period stays
 * covered.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #waiting: readonly Waiting[] = [];
  #writing: Promise<void> | undefined;
  #isStalled = false;
  /** One in this many new samples is queued. */
  #keepEvery = 1;
  #received = 0;
  /** How often something was not written that others may continue. */
  #breaks = 0;
  #bytes = 0;
  #failure: unknown;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** How many have been written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Queues a sample. Resolves when it is written or refused, or when that takes too long.
   * @throws the error that ends the run: LogError
   */
  async put(sample: Sample): Promise<void> {
    this.#throwFailure();
    await this.#keep(sample);
    this.#start();
    await this.#settle();
    this.#tellWaiting();
    this.#throwFailure();
  }

  /**
   * Writes the queued samples, and the end of the log, if the file system answers. Returns how many are lost, with
   * those for which there was no memory.
   */
  async drain(): Promise<number> {
    this.#options.log.hurry();
    const end = performance.now() + DRAIN_MS;
    await this.#end();
    this.#start();
    while (this.#writing !== undefined && this.#options.waitsMs() < PATIENCE_MS && performance.now() < end)
      await Promise.race([this.#writing, sleep(LOOK_MS)]);
    return samplesIn(this.#waiting) + (this.#options.journal.state.leftOut ?? 0);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Waits until nothing is being written, or that takes too long, or the file system stops answering. */
  async #settle(): Promise<void> {
    const end = performance.now() + this.#options.mostMs;
    while (this.#writing !== undefined) {
      if (this.#options.waitsMs() >= PATIENCE_MS) {
        this.#reportStall();
        return;
      }
      const left = end - performance.now();
      if (left <= 0) return;
      const look = new AbortController();
      const pause = sleep(Math.min(LOOK_MS, left), undefined, { signal: look.signal }).catch(() => undefined);
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
      for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
        if (!(await this.#writeOne(next))) return;
        this.#tellWaiting();
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  /** False if the other queued samples have to wait. */
  async #writeOne({ piece, samples, sample }: Waiting): Promise<boolean> {
    const { log, journal, format, complain } = this.#options;
    const refusal = await log.append(piece, (append) => journal.announce(append));
    if (this.#isStalled) {
      this.#isStalled = false;
      journal.setAnswering(true);
    }
    if (refusal === undefined) {
      this.#waiting = this.#waiting.slice(1);
      this.#bytes += piece.length;
      this.#resume();
      journal.change({ samples: journal.state.samples + samples });
      return true;
    }
    if (refusal.kind === 'failing') {
      this.#pause(refusal.reason, 'Samples are kept in memory until it can be written to again.');
      return false;
    }
    if (refusal.kind === 'full' && format.waitsForSpace) {
      this.#pause(refusal.reason, 'Samples are kept in memory until there is space again.');
      return false;
    }
    this.#break();
    if (refusal.kind === 'full') {
      this.#waiting = [];
      this.#pause(refusal.reason, 'Nothing is written until there is space again.');
      return false;
    }
    // What continues it is of no use either.
    const next = this.#waiting.findIndex((other, at) => at > 0 && !other.piece.continues);
    const others = next === -1 ? [] : this.#waiting.slice(next);
    let lost = samplesIn(this.#waiting) - samplesIn(others);
    const anew =
      refusal.kind === 'apart' && sample !== undefined ? [{ piece: await format.alone(sample), samples }] : [];
    lost -= samplesIn(anew);
    this.#waiting = [...anew, ...others];
    if (refusal.kind === 'never') complain(refusal.reason);
    else if (lost > 0) journal.say('ERROR', `${refusal.reason} ${count(lost)} lost.`);
    return true;
  }

  /** What was not written cannot be continued. */
  #break(): void {
    this.#breaks++;
    this.#options.format.begin();
  }

  #pause(reason: string, consequence: string): void {
    const { journal, nowMs } = this.#options;
    if (journal.state.paused === undefined) {
      journal.say('ERROR', `${reason}${reason.endsWith('.') ? '' : '.'} ${consequence}`);
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
    const waiting = samplesIn(this.#waiting);
    const kept = journal.state.paused === undefined || waiting === 0 ? undefined : waiting;
    if (kept !== journal.state.kept) journal.change({ kept });
  }

  /** Queues a sample. When the queue is full, drops every second one, and half as many of the samples to come. */
  async #keep(sample: Sample): Promise<void> {
    const { journal, mostWaitingBytes = MOST_WAITING_BYTES } = this.#options;
    if (this.#waiting.length === 0) this.#keepEvery = 1;
    let leftOut = 0;
    if (++this.#received % this.#keepEvery === 0) {
      // The one that is being written may be refused yet: what waits behind it shall not depend on it.
      if (this.#waiting.length === 1) await this.#end();
      const piece = await this.#pieceOf(sample);
      const mayBeAnew = piece.continues && this.#waiting.length === 0;
      this.#push(piece, 1, mayBeAnew ? sample : undefined);
    } else leftOut = 1;
    const total = this.#waiting.reduce((sum, { piece }) => sum + piece.length, 0);
    if (total > mostWaitingBytes && this.#waiting.length > 2) {
      // Keep the first one: it is being written.
      const kept = groupsOf(this.#waiting).flatMap((group, place) => (place % 2 === 0 ? group : []));
      leftOut += samplesIn(this.#waiting) - samplesIn(kept);
      this.#waiting = kept;
      this.#keepEvery *= 2;
      this.#break();
    }
    if (leftOut > 0) journal.change({ leftOut: (journal.state.leftOut ?? 0) + leftOut });
  }

  #push(piece: Piece, samples: 0 | 1, sample?: Sample): void {
    this.#waiting = [...this.#waiting, { piece, samples, sample }];
  }

  /** Queues the end of what has been queued until now. */
  async #end(): Promise<void> {
    const breaks = this.#breaks;
    const end = await this.#options.format.end();
    if (end !== undefined && breaks === this.#breaks) this.#push(end, 0);
  }

  async #pieceOf(sample: Sample): Promise<Piece> {
    for (;;) {
      const breaks = this.#breaks;
      const piece = await this.#options.format.add(sample);
      if (!piece.continues || breaks === this.#breaks) return piece;
    }
  }
}

/** Each begins with a piece that does not continue another. */
function groupsOf(waiting: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  for (const one of waiting) {
    const last = groups.at(-1);
    if (last === undefined || !one.piece.continues) groups.push([one]);
    else last.push(one);
  }
  return groups;
}

function samplesIn(waiting: readonly Waiting[]): number {
  return waiting.reduce((sum, { samples }) => sum + samples, 0);
}

export function count(samples: number): string {
  return samples === 1 ? '1 sample was' : `${samples} samples were`;
}
