import { type Reading, unreadableFrom } from '../../../model/reading.ts';
import { errnoName } from '../../../native/errno.ts';
import { FLAG, WHAT } from '../../../native/reader/protocol.ts';
import type { Reader } from '../../../native/reader/reader.ts';

/** Reads single files and links. Any of these reads may hang. */
export class FileReads {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** The target of a symbolic link, such as a descriptor (fs/proc/fd.c) or a namespace. */
  link(path: string): Promise<Reading<Buffer>> {
    return this.#one('link', path, 0n, 0);
  }

  /** The targets of many links, in their order; undefined for those that cannot be read, or not in time. */
  async links(paths: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    const targets: (Buffer | undefined)[] = paths.map(() => undefined);
    const reads = paths.map((path) => ({ what: 'link' as const, path, position: 0n, limit: 0 }));
    await this.#reader.paths(reads, ({ what, tid: at, flags, result, bytes }) => {
      if (what === WHAT.link && (flags & FLAG.late) === 0 && result > 0) targets[at] = Buffer.from(bytes);
    });
    return targets;
  }

  /**
   * Up to `limit` bytes of a file, from a position on. Fewer if the file ends or the rest cannot be read; for memory,
   * that is where the next page is missing (EIO).
   */
  bytes(path: string, position: bigint, limit: number): Promise<Reading<Buffer>> {
    return this.#one('read', path, position, limit);
  }

  async #one(what: 'link' | 'read', path: string, position: bigint, limit: number): Promise<Reading<Buffer>> {
    const parts: Buffer[] = [];
    let unread: Reading<Buffer> | undefined;
    await this.#reader.path({ what, path, position, limit }, (record) => {
      if (record.what !== WHAT[what]) return;
      if (record.flags & FLAG.late) unread = { unread: 'timeout' };
      else if (record.result < 0 && parts.length === 0) unread = { unread: unreadableFrom(errnoName(-record.result)) };
      else if (record.result > 0) parts.push(Buffer.from(record.bytes));
    });
    return unread ?? { value: Buffer.concat(parts) };
  }
}
