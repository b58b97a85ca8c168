import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { codeOf } from '../files/files.ts';
import { InputError } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { isStandalone } from '../native/self.ts';
import type { ClassicPart } from '../sources/text/classic/classic-told.ts';
import type { InputNotes, TextParts } from '../sources/text/index.ts';
import { NoThread } from './no-thread.ts';

/** What the thread is to do. */
export interface Task {
  readonly file: string;
  /** One number: how many batches wait. */
  readonly waiting: Int32Array;
}

/** What it has read of a log. */
export interface Batch {
  readonly parts: readonly ClassicPart[];
  /** How many bytes were read for it. */
  readonly bytes: number;
  readonly odd?: NonNullable<InputNotes['odd']>;
  /** Set if nothing follows. */
  readonly isLast?: true;
  /** Why the file cannot be read any further. */
  readonly failure?: string;
}

/** Where the code of the thread is: Bun keeps what is in the executable under a name of its own. */
const READER = join(isStandalone ? '/$bunfs/root' : __dirname, 'classic-reader.cjs');

/**
 * A thread that reads a classic log, so that the main one only has to make samples of what changes: a log of a gigabyte
 * takes two thirds of the time.
 */
export class ClassicThread {
  readonly #waiting = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #batches: Batches;

  /** @throws Error with a code if the system has no thread left */
  constructor(file: string) {
    this.#worker = new Worker(READER, { workerData: { file, waiting: this.#waiting } satisfies Task });
    // What comes while nobody listens is lost.
    this.#batches = new Batches(this.#worker);
    // Nobody may ask for the samples.
    this.#worker.unref();
  }

  /**
   * The samples of the log.
   * @param read called with the number of bytes that were read
   * @throws InputError naming the file if it cannot be read; NoThread
   */
  async *samples(
    parts: TextParts,
    { notes, read }: { readonly notes: InputNotes; readonly read: (bytes: number) => void },
  ): AsyncGenerator<Sample, void> {
    this.#worker.ref();
    try {
      for await (const { parts: found, bytes, odd, failure } of this.#batches.all()) {
        Atomics.sub(this.#waiting, 0, 1);
        Atomics.notify(this.#waiting, 0);
        read(bytes);
        if (odd !== undefined) notes.odd = odd;
        yield* parts.take(found);
        if (failure !== undefined) throw new InputError(failure);
      }
      yield* parts.end();
    } finally {
      await this.#worker.terminate();
    }
  }
}

/** Begins to read a large classic log. Undefined where the system has no thread left. */
export function threadFor(file: string): ClassicThread | undefined {
  try {
    return new ClassicThread(file);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** What a thread tells, in its order. */
class Batches {
  readonly #waiting: Batch[] = [];
  #isOver = false;
  #failure: unknown;
  #wake: () => void = () => undefined;

  constructor(worker: Worker) {
    worker.on('message', (batch: Batch) => {
      this.#waiting.push(batch);
      this.#wake();
    });
    worker.on('error', (error) => {
      this.#failure = error;
      this.#wake();
    });
    worker.on('exit', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** @throws NoThread if it could not begin; Error if it ends before all is told */
  async *all(): AsyncGenerator<Batch, void> {
    for (let told = 0; ; ) {
      const batch = this.#waiting.shift();
      if (batch !== undefined) {
        told++;
        yield batch;
        if (batch.isLast) return;
      } else if (this.#failure !== undefined || this.#isOver) {
        if (told === 0) throw new NoThread();
        throw this.#failure ?? new Error('the thread that reads the log has ended too early');
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
