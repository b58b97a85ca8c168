import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InputError } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import { isStandalone } from '../native/self.ts';
import type { ClassicPart } from '../sources/text/classic-told.ts';
import type { InputNotes, TextParts } from '../sources/text/index.ts';

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
  /** Why the file cannot be read any further. */
  readonly failure?: string;
}

/** Where the code of the thread is: Bun keeps what is in the executable under a name of its own. */
const READER = join(isStandalone ? '/$bunfs/root' : __dirname, 'classic-reader.cjs');

/**
 * The samples of a file that is a classic log. Another thread reads the text, so that this one only has to make samples
 * of what changes: a log of a gigabyte takes two thirds of the time.
 * @param read called with the number of bytes that were read
 * @throws InputError naming the file if it cannot be read
 */
export async function* classicLogSamples(
  file: string,
  parts: TextParts,
  { notes, read }: { readonly notes: InputNotes; readonly read: (bytes: number) => void },
): AsyncGenerator<Sample, void> {
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(READER, { workerData: { file, waiting } satisfies Task });
  try {
    for await (const { parts: found, bytes, odd, failure } of batchesOf(worker)) {
      Atomics.sub(waiting, 0, 1);
      Atomics.notify(waiting, 0);
      read(bytes);
      if (odd !== undefined) notes.odd = odd;
      yield* parts.take(found);
      if (failure !== undefined) throw new InputError(failure);
    }
    yield* parts.end();
  } finally {
    await worker.terminate();
  }
}

async function* batchesOf(worker: Worker): AsyncGenerator<Batch, void> {
  const batches: Batch[] = [];
  let [isOver, failure]: [boolean, unknown] = [false, undefined];
  let wake: () => void = () => undefined;
  worker.on('message', (batch: Batch) => {
    batches.push(batch);
    wake();
  });
  worker.on('error', (error) => {
    failure = error;
    wake();
  });
  worker.on('exit', () => {
    isOver = true;
    wake();
  });
  for (;;) {
    const batch = batches.shift();
    if (batch !== undefined) yield batch;
    else if (failure !== undefined) throw failure;
    else if (isOver) return;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}
