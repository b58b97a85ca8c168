// Runs in a thread of its own: reads a log, and tells what is in it. See classic-thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { InputError, inputBytes } from '../files/input-file.ts';
import { ClassicLog } from '../sources/text/classic-log.ts';
import type { Batch, Task } from './classic-thread.ts';

/** A batch has the parts of so many bytes. */
const BATCH_BYTES = 4 << 20;
/** Bounds memory: so many batches may wait for the main thread. */
const MOST_WAITING = 4;

async function read({ file, waiting }: Task, post: (batch: Batch) => void): Promise<void> {
  const log = new ClassicLog();
  let bytes = 0;
  const tell = (isLast: boolean) => {
    post({ parts: log.found.splice(0), bytes, ...(isLast && log.odd.count > 0 && { odd: log.odd }) });
    bytes = 0;
  };
  for await (const chunk of inputBytes(file)) {
    log.take(chunk);
    bytes += chunk.length;
    if (bytes < BATCH_BYTES) continue;
    tell(false);
    Atomics.add(waiting, 0, 1);
    for (let count = Atomics.load(waiting, 0); count >= MOST_WAITING; count = Atomics.load(waiting, 0))
      Atomics.wait(waiting, 0, count);
  }
  log.end();
  tell(true);
}

read(workerData, (batch) => parentPort?.postMessage(batch)).catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  parentPort?.postMessage({ parts: [], bytes: 0, failure: error.message } satisfies Batch);
});
