// Runs in a thread of its own: reads a log, and tells what is in it. See classic-thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { CHUNK_BYTES, InputError, openSeekable } from '../files/input-file.ts';
import { ClassicLog } from '../sources/text/classic-log.ts';
import type { Batch, Task } from './classic-thread.ts';

/** A batch has the parts of so many bytes. */
const BATCH_BYTES = 4 << 20;
/** Bounds memory: so many batches may wait for the main thread, which has the rules to load first. */
const MOST_WAITING = 16;

function read({ file, waiting }: Task, post: (batch: Batch) => void): void {
  const opened = openSeekable(file);
  if (opened === undefined) throw new InputError(`cannot read ${file}: it is no longer a file`);
  const log = new ClassicLog();
  let [offset, told] = [0, 0];
  for (let length = -1; length !== 0; ) {
    length = log.fill(CHUNK_BYTES, (room) => opened.readInto(room, offset));
    offset += length;
    if (offset - told < BATCH_BYTES) continue;
    post({ parts: log.found.splice(0), bytes: offset - told });
    told = offset;
    Atomics.add(waiting, 0, 1);
    for (let count = Atomics.load(waiting, 0); count >= MOST_WAITING; count = Atomics.load(waiting, 0))
      Atomics.wait(waiting, 0, count);
  }
  log.end();
  post({ parts: log.found.splice(0), bytes: offset - told, ...(log.odd.count > 0 && { odd: log.odd }) });
}

try {
  read(workerData, (batch) => parentPort?.postMessage(batch));
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  parentPort?.postMessage({ parts: [], bytes: 0, failure: error.message } satisfies Batch);
}
