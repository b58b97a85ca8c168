import { CHUNK_BYTES, InputError } from '../files/input-file.ts';
import { ClassicLog } from '../sources/text/classic/classic-log.ts';
import type { Batch } from './classic-thread.ts';

/** A batch has the parts of so many bytes. */
const BATCH_BYTES = 4 << 20;
/** Bounds memory: so many batches may wait for the main thread, which has the rules to load first. */
const MOST_WAITING = 16;

/**
 * Reads a classic log in batches. If the file cannot be read on, the last one says why, behind what was read.
 * @param readInto fills the room with what stands at the offset. Returns how many bytes, and 0 at the end.
 * @param waiting one number: how many batches wait
 */
export function readLog(
  readInto: (room: Uint8Array, offset: number) => number,
  waiting: Int32Array,
  post: (batch: Batch) => void,
): void {
  const log = new ClassicLog();
  let [offset, told] = [0, 0];
  const found = () => ({ parts: log.found.splice(0), bytes: offset - told });
  try {
    for (let length = -1; length !== 0; ) {
      length = log.fill(CHUNK_BYTES, (room) => readInto(room, offset));
      offset += length;
      if (offset - told < BATCH_BYTES) continue;
      post(found());
      told = offset;
      Atomics.add(waiting, 0, 1);
      for (let count = Atomics.load(waiting, 0); count >= MOST_WAITING; count = Atomics.load(waiting, 0))
        Atomics.wait(waiting, 0, count);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    post({ ...found(), isLast: true, failure: error.message });
    return;
  }
  log.end();
  post({ ...found(), isLast: true, ...(log.odd.count > 0 && { odd: log.odd }) });
}
