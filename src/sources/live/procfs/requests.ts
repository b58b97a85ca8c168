import type { Scan } from '../../../native/reader/protocol.ts';
import type { Reader, RecordTaker } from '../../../native/reader/reader.ts';
import type { Draft } from './draft.ts';

/** The number of tasks in one request. */
const BATCH = 512;

/** Batches the requests of one sample to the reader. */
export class Requests {
  readonly #reader: Reader;
  readonly #options: Pick<Scan, 'threads' | 'commandLines'>;
  readonly #take: RecordTaker;
  /** The files to request next, as a bit set. */
  readonly #wanted = new Map<Draft, number>();
  readonly #jobs: Promise<void>[] = [];

  constructor(reader: Reader, options: Pick<Scan, 'threads' | 'commandLines'>, take: RecordTaker) {
    this.#reader = reader;
    this.#options = options;
    this.#take = take;
  }

  /** `bits` is a set made by {@link bitsOf}. */
  want(draft: Draft, bits: number): void {
    this.#wanted.set(draft, (this.#wanted.get(draft) ?? 0) | bits);
    if (this.#wanted.size >= BATCH) this.#send();
  }

  /** Reads all tasks. */
  scan(scan: Omit<Scan, 'threads' | 'commandLines'>, take: RecordTaker): void {
    this.#jobs.push(this.#reader.scan({ ...scan, ...this.#options }, take));
  }

  /** Resolves when everything requested has arrived, including what was requested in response. */
  async settle(): Promise<void> {
    for (;;) {
      this.#send();
      const jobs = this.#jobs.splice(0);
      if (jobs.length === 0) return;
      await Promise.all(jobs);
    }
  }

  #send(): void {
    if (this.#wanted.size === 0) return;
    const drafts = [...this.#wanted.keys()];
    const bits = [...this.#wanted.values()];
    this.#wanted.clear();
    this.#jobs.push(this.#reader.get(drafts, (at) => bits[at] ?? 0, this.#options, this.#take));
  }
}
