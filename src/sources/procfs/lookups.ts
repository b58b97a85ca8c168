import { type FileHandle, open, readlink } from 'node:fs/promises';
import { type Reading, unreadableFrom } from '../../model/reading.ts';
import { errnoOf } from './files.ts';

/** How long a look may take before it counts as hanging. */
const DEADLINE_MS = 500;
/** The threads of Node's pool, unless UV_THREADPOOL_SIZE says otherwise: when as many hang, no look begins any more. */
const THREADS = 4;
const CHUNK_BYTES = 64 * 1024;

/** A failure behind the first bytes is the end: that of memory is where the next page is not there (EIO). */
async function readChunk(file: FileHandle, bytes: number, position: number): Promise<{ value: Buffer } | { unread: string }> {
  try {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(bytes), { position });
    return { value: buffer.subarray(0, bytesRead) };
  } catch (error) {
    return { unread: errnoOf(error) };
  }
}

/**
 * Looks at single files of a task that may hang (law 1), each on a thread of Node's pool and with a deadline. Node waits at its end for a thread that
 * hangs: as long as there is one ({@link hanging}), the process must be ended by {@link exitNow}.
 */
export class Lookups {
  #hanging = 0;

  get hanging(): number {
    return this.#hanging;
  }

  /** The target of a symbolic link: a descriptor's file (fs/proc/fd.c), a namespace. */
  link(path: string): Promise<Reading<Buffer>> {
    return this.#bounded(() => readlink(path, { encoding: 'buffer' }));
  }

  /** Up to so many bytes of a file from a position on; fewer where it ends. */
  bytes(path: string, position: number, limit: number): Promise<Reading<Buffer>> {
    return this.#bounded(async () => {
      const file = await open(path, 'r');
      const chunks: Buffer[] = [];
      let length = 0;
      try {
        while (length < limit) {
          const chunk = await readChunk(file, Math.min(CHUNK_BYTES, limit - length), position + length);
          if ('unread' in chunk && length === 0) throw Object.assign(new Error(chunk.unread), { code: chunk.unread });
          if ('unread' in chunk || chunk.value.length === 0) break;
          chunks.push(chunk.value);
          length += chunk.value.length;
        }
        return Buffer.concat(chunks);
      } finally {
        await file.close();
      }
    });
  }

  async #bounded(look: () => Promise<Buffer>): Promise<Reading<Buffer>> {
    if (this.#hanging >= THREADS) return { unread: 'skipped' };
    let late = false;
    const reading = look().then(
      (value): Reading<Buffer> => ({ value }),
      (error): Reading<Buffer> => ({ unread: unreadableFrom(errnoOf(error)) }),
    );
    const settled = reading.finally(() => {
      if (late) this.#hanging--;
    });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<Reading<Buffer>>((resolve) => {
      timer = setTimeout(() => {
        late = true;
        this.#hanging++;
        resolve({ unread: 'timeout' });
      }, DEADLINE_MS);
    });
    const first = await Promise.race([settled, deadline]);
    clearTimeout(timer);
    return first;
  }
}
