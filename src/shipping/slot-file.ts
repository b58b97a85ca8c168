import { constants } from 'node:fs';
import type { LogDirectory } from '../background/log-directory.ts';

/** A sector of every disk: one is written as a whole, whatever happens meanwhile. */
const SLOT_BYTES = 512;
/** Of tens of thousands of recordings. A larger file has something else in it. */
const MOST_BYTES = 16 << 20;
const CHUNK_BYTES = 64 << 10;
const LINE_FEED = 10;

/**
 * A file of values that are written in place, each for itself: neither a kill nor a power cut tears one, and a full
 * disk stops none that is there already. A line of JSON each, padded with spaces.
 */
export class SlotFile {
  readonly #directory: LogDirectory;
  readonly #fd: number;
  readonly #slots: unknown[] = [];

  private constructor(directory: LogDirectory, fd: number) {
    this.#directory = directory;
    this.#fd = fd;
  }

  /** Opens the file, or makes it, and takes its lock; undefined if another process has that. @throws LogError */
  static async open(directory: LogDirectory, name: string): Promise<SlotFile | undefined> {
    const { fd, status } = await directory.open(name, constants.O_RDWR | constants.O_CREAT);
    const { files } = directory;
    if (!(await files.lock(fd))) {
      await files.close(fd);
      return undefined;
    }
    const file = new SlotFile(directory, fd);
    if (status.size > MOST_BYTES) {
      await files.truncate(fd, 0);
      return file;
    }
    for (let at = 0; at < status.size; at += CHUNK_BYTES) {
      const chunk = await files.read(fd, at, CHUNK_BYTES);
      for (let from = 0; from < chunk.length; from += SLOT_BYTES)
        file.#slots.push(valueIn(chunk.subarray(from, from + SLOT_BYTES)));
    }
    return file;
  }

  /** What is in each; undefined where that is nothing, or no JSON. */
  get values(): readonly unknown[] {
    return this.#slots;
  }

  /** A slot that has nothing, which may be behind the last one. */
  free(): number {
    const found = this.#slots.indexOf(undefined);
    return found === -1 ? this.#slots.length : found;
  }

  /**
   * Writes a value, or empties its slot. It counts for this process even if that fails.
   * @throws the error of write(2); EBUSY if another process has taken the lock
   */
  async write(slot: number, value: object | undefined): Promise<void> {
    const bytes = Buffer.alloc(SLOT_BYTES, ' ');
    if (value !== undefined && bytes.write(JSON.stringify(value)) >= SLOT_BYTES - 1)
      throw new RangeError(`more than a slot has room for: ${JSON.stringify(value)}`);
    bytes[SLOT_BYTES - 1] = LINE_FEED;
    this.#slots[slot] = value;
    await this.#directory.files.write(this.#fd, bytes, slot * SLOT_BYTES);
  }

  async close(): Promise<void> {
    await this.#directory.files.unlock(this.#fd);
    await this.#directory.files.close(this.#fd);
  }
}

function valueIn(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return value ?? undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
