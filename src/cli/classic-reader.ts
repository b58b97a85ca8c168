// Runs in a thread of its own: reads a log, and tells what is in it. See classic-thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { InputError, openSeekable } from '../files/input-file.ts';
import { readLog } from './classic-batches.ts';
import type { Batch, Task } from './classic-thread.ts';

const post = (batch: Batch) => parentPort?.postMessage(batch);
const { file, waiting }: Task = workerData;
try {
  const opened = openSeekable(file);
  if (opened === undefined) throw new InputError(`cannot read ${file}: it is no longer a file`);
  readLog((room, offset) => opened.readInto(room, offset), waiting, post);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  post({ parts: [], bytes: 0, isLast: true, failure: error.message });
}
