import { constants } from 'node:fs';
import { type FileStatus, isRegular } from '../files/files.ts';
import type { Piece } from '../recording/write.ts';
import type { LogDirectory } from './log-directory.ts';
import type { LogNames } from './log-names.ts';

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;

/** Enough of a sample to tell it from others: its first line has the time. */
const HEAD_BYTES = 256;
/** Up to this size a piece is appended with one call, so that nobody can truncate the file in the middle. */
const ATOMIC_BYTES = 1 << 20;

/** An append that is about to happen. After a crash, it tells a torn sample from a whole one. */
export interface Append {
  /** A string, because some file systems number inodes above 2^53. */
  readonly inode: string;
  readonly sizeBefore: number;
  readonly bytes: number;
}

/** The file as this run left it. */
interface OpenFile {
  readonly fd: number;
  readonly status: FileStatus;
  /** The sizes at which a piece ended, of a recording only the last one. The last one is the current size. */
  readonly ends: number[];
  /** The piece appended last: its first bytes, and its length. */
  last: { readonly head: Buffer; readonly length: number };
  /** Set during a write: a failed write leaves a torn piece. */
  isTorn: boolean;
}

/** The file that a run appends to, and that others may remove, replace, truncate or write to meanwhile. */
export class LogFile {
  readonly #directory: LogDirectory;
  readonly #names: LogNames;
  readonly #tell: (text: string) => void;
  #open: OpenFile | undefined;
  /** Whether the file ends with what was appended last. */
  #isAsLeft = false;

  constructor(directory: LogDirectory, names: LogNames, tell: (text: string) => void) {
    this.#directory = directory;
    this.#names = names;
    this.#tell = tell;
  }

  /** Bytes in the file; 0 if it is not open. */
  get size(): number {
    return this.#open === undefined ? 0 : endOf(this.#open);
  }

  /** Whether a piece that continues the last one can be appended. */
  get isAsLeft(): boolean {
    return this.#isAsLeft;
  }

  /** Creates it. @throws the error of open(2): EEXIST if there is one */
  async create(): Promise<void> {
    await this.#opened(O_EXCL);
  }

  /** The next write opens whatever has its name then. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#isAsLeft = false;
    if (open !== undefined) await this.#directory.files.close(open.fd);
  }

  /** Has the kernel write it to its device, or removes it if it is empty. */
  async end(): Promise<void> {
    const { files, fd: folder } = this.#directory;
    if (this.#open === undefined) return;
    const { fd, status } = this.#open;
    await files.sync(fd);
    const found = await this.#directory.status(this.#names.current);
    if (found?.size === 0 && found.inode === status.inode) await files.unlink(folder, this.#names.current);
  }

  /**
   * Checks and reports what happened to the file since the last write. Cuts off what a failed write left.
   * @param found what has the file's name now
   * @returns its size
   */
  async resume(found: FileStatus | undefined): Promise<number> {
    const open = this.#open;
    if (open === undefined) return found?.size ?? 0;
    const { inode, device } = open.status;
    if (found?.inode !== inode || found.device !== device || found.links !== 1 || !isRegular(found)) {
      await this.#directory.check();
      await this.close();
      if (found !== undefined) await this.#opened();
      this.#tell(
        `${this.#path} was ${found === undefined ? 'removed' : 'replaced'} by somebody else. Starting a new one.`,
      );
      return found?.size ?? 0;
    }
    const expected = endOf(open);
    if (found.size < expected) await this.#mend(open, found.size);
    else if (open.isTorn) await this.#cut(open, expected);
    else if (found.size > expected) {
      this.#tell(`${this.#path} was written to by somebody else.`);
      this.#isAsLeft = false;
      this.#setEnd(open, found.size);
    }
    return endOf(open);
  }

  /**
   * Appends a piece completely or not at all. Awaits `announce` right before the write.
   * @returns false if it continues what somebody cut off meanwhile
   */
  async append(piece: Piece, announce: (append: Append) => Promise<void>): Promise<boolean> {
    const { files } = this.#directory;
    for (let tries = 0; ; tries++) {
      if (piece.continues && !this.#isAsLeft) return false;
      const open = await this.#opened();
      const sizeBefore = endOf(open);
      const bytes = piece.at(sizeBefore);
      await announce({ inode: String(open.status.inode), sizeBefore, bytes: bytes.length });
      open.isTorn = true;
      try {
        await files.append(open.fd, bytes);
      } catch (error) {
        // If truncating fails too, `isTorn` has it repeated before the next write.
        await this.#cut(open, sizeBefore).catch(() => undefined);
        throw error;
      }
      open.isTorn = false;
      open.last = { head: Buffer.from(bytes.subarray(0, HEAD_BYTES)), length: bytes.length };
      this.#setEnd(open, sizeBefore + bytes.length);
      this.#isAsLeft = true;
      // A large piece takes several calls, and somebody may truncate the file between them. After a single call,
      // `resume` finds that out before the next write.
      if (bytes.length <= ATOMIC_BYTES || tries > 2) return true;
      const { size } = await files.statusOf(open.fd);
      if (size >= endOf(open) || (await this.#mend(open, size))) return true;
    }
  }

  get #path(): string {
    return `${this.#directory.name}/${this.#names.current}`;
  }

  #setEnd({ ends }: OpenFile, size: number): void {
    if (this.#names.holds === 'recording') ends.length = 0;
    ends.push(size);
  }

  /**
   * Repairs a file that somebody else truncated, before or after the last piece was written. Of a text, the last sample
   * is kept if the file still ends with it (compared by its first bytes) and a whole sample stands before it. Otherwise
   * the file is cut, and the result is false: the last sample is lost too. A recording is read up to where it was torn.
   */
  async #mend(open: OpenFile, size: number): Promise<boolean> {
    this.#isAsLeft = false;
    open.isTorn = false;
    const { ends, last } = open;
    const { head } = last;
    const before = size - last.length;
    let isWhole = false;
    if (this.#names.holds === 'recording') this.#setEnd(open, size);
    else {
      const isThere = before >= 0 && head.equals(await this.#directory.files.read(open.fd, before, head.length));
      isWhole = isThere && (before === 0 || ends.includes(before));
      if (isWhole) {
        while (endOf(open) > before) ends.pop();
        ends.push(size);
      } else await this.#cut(open, isThere || last.length > ATOMIC_BYTES ? Math.max(0, before) : size);
    }
    this.#tell(`${this.#path} was truncated by somebody else. Earlier samples are lost.`);
    return isWhole;
  }

  /** Truncates the file to the last end of a piece at or below `size`. */
  async #cut(open: OpenFile, size: number): Promise<void> {
    while (endOf(open) > size) open.ends.pop();
    await this.#directory.files.truncate(open.fd, endOf(open));
    open.isTorn = false;
  }

  async #opened(flags = 0): Promise<OpenFile> {
    if (this.#open !== undefined) return this.#open;
    const { fd, status } = await this.#directory.open(this.#names.current, O_RDWR | O_APPEND | O_CREAT | flags);
    this.#open = { fd, status, ends: [status.size], last: { head: Buffer.alloc(0), length: 0 }, isTorn: false };
    return this.#open;
  }
}

/** Truncates a sample that a crashed run left torn in a text log, given what it was about to append. */
export async function cutTornSample(directory: LogDirectory, name: string, append: Append): Promise<void> {
  const { inode, sizeBefore, bytes } = append;
  if (((await directory.status(name))?.size ?? 0) === 0) return;
  const { fd, status } = await directory.open(name, O_RDWR);
  if (String(status.inode) === inode && status.size > sizeBefore && status.size < sizeBefore + bytes)
    await directory.files.truncate(fd, sizeBefore);
  await directory.files.close(fd);
}

function endOf({ ends }: OpenFile): number {
  return ends.at(-1) ?? 0;
}
