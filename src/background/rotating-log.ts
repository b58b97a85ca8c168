import { constants } from 'node:fs';
import { codeOf, type FileStatus, isRegular } from '../files/files.ts';
import { compressFile, Interrupted } from './compressed-file.ts';
import { hostInFileName, type LogDirectory, LogError } from './log-directory.ts';
import { listRotated, type RotatedFile, totalOf } from './rotated-files.ts';
import { describeFull, meansFull } from './space.ts';

const { O_RDWR, O_RDONLY, O_APPEND, O_CREAT } = constants;

export interface RotatingLogOptions {
  readonly host: string;
  /** The largest size of a file; it is rotated before a sample would exceed it. */
  readonly maxBytes: number;
  /** How many rotated files are kept. All files together take at most `maxBytes` times this (times one, if 0). */
  readonly keep: number;
  /** Nothing is written while the file system is this full, or would be after the write. */
  readonly maxUsedPercent: number;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Reports what somebody else did to the log. */
  tell(text: string): void;
}

/** An append that is about to happen. After a crash, it tells a torn sample from a whole one. */
export interface Append {
  /** A string, because some file systems number inodes above 2^53. */
  readonly inode: string;
  readonly sizeBefore: number;
  readonly bytes: number;
}

/** Why a sample was not appended: it can never be, the file system is full, or the file system fails. */
export interface Refusal {
  readonly reason: string;
  readonly kind: 'never' | 'full' | 'failing';
}

/** The log as this run left it. `ends` are the sizes at which a sample ended; the last one is the current size. */
interface CurrentFile {
  readonly fd: number;
  readonly status: FileStatus;
  readonly ends: number[];
  /** The sample appended last: its first bytes, and its length. */
  last: { readonly head: Buffer; readonly length: number };
  /** Set during a write: a failed write leaves a torn sample. */
  isTorn: boolean;
}

/**
 * A log `kstack_HOST.out` that is rotated by size into `kstack_HOST.out-SECONDS.gz`. A crash neither loses nor
 * duplicates a sample: the log is renamed to `...out-SECONDS`, compressed into `...gz.tmp`, synced and renamed to
 * `...gz`; only then is the uncompressed file removed. {@link recover} and the next {@link append} finish or remove
 * what a crash left in between.
 */
export class RotatingLog {
  readonly name: string;
  readonly #directory: LogDirectory;
  readonly #options: RotatingLogOptions;
  /** The rotated files, oldest first. Others may remove some; the list is refreshed with each rotation. */
  #files: readonly RotatedFile[] = [];
  #current: CurrentFile | undefined;
  readonly #hurry = new AbortController();

  constructor(directory: LogDirectory, options: RotatingLogOptions) {
    this.#directory = directory;
    this.#options = options;
    this.name = `kstack_${hostInFileName(options.host)}.out`;
  }

  /**
   * Truncates a sample that a crashed run left torn, given what it was about to append. Then renames the log of the
   * earlier run, for the first append to compress.
   */
  async recover(interrupted: Append | undefined): Promise<void> {
    await this.#directory.check();
    if (interrupted !== undefined) await this.#cutTornSample(interrupted);
    for (const { file, kind } of await this.#list()) if (kind === '.gz.tmp') await this.#remove(file);
    await this.#list();
    if (((await this.#directory.status(this.name))?.size ?? 0) > 0) await this.#rename();
  }

  /**
   * Appends a sample completely or not at all. Awaits `announce` right before the write.
   * @throws LogError if the directory or the file was replaced
   */
  async append(bytes: Buffer, announce: (append: Append) => Promise<void>): Promise<Refusal | undefined> {
    if (bytes.length > this.#maxTotalBytes) {
      const megabytes = (bytes.length / 2 ** 20).toFixed(1);
      const reason = `A sample of ${megabytes} MB is larger than all log files may be together (-m times -n), and is left out.`;
      return { reason, kind: 'never' };
    }
    try {
      const [found, space] = await Promise.all([this.#directory.status(this.name), this.#directory.space()]);
      const size = await this.#resume(found);
      const refusal = describeFull(space, this.#options.maxUsedPercent, bytes.length);
      if (refusal !== undefined) return { reason: refusal, kind: 'full' };
      await this.#compressRenamed();
      if (size > 0 && size + bytes.length > this.#options.maxBytes) {
        await this.#rename();
        await this.#compressRenamed();
      }
      await this.#write(bytes, announce);
      await this.#removeOldest();
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof LogError || !(error instanceof Error) || code === undefined) throw error;
      if (code === 'ENOENT') await this.#directory.check();
      return {
        reason: `Cannot write to ${this.#directory.name}: ${error.message}.`,
        kind: meansFull(code) ? 'full' : 'failing',
      };
    }
  }

  /** Stops compressing, which may take long. The next run will do it. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Bytes in the current file, bytes in all files, and the number of files. */
  async sizes(): Promise<{ current: number; total: number; files: number }> {
    const files = await this.#list();
    const current = (await this.#directory.status(this.name))?.size ?? 0;
    return { current, total: totalOf(files) + current, files: files.length + 1 };
  }

  get #path(): string {
    return `${this.#directory.name}/${this.name}`;
  }

  get #maxTotalBytes(): number {
    return this.#options.maxBytes * Math.max(1, this.#options.keep);
  }

  /** Checks and reports what happened to the log since the last write. Truncates a torn sample. Returns the size. */
  async #resume(found: FileStatus | undefined): Promise<number> {
    const current = this.#current;
    if (current === undefined) return found?.size ?? 0;
    const { inode, device } = current.status;
    if (found?.inode !== inode || found.device !== device || found.links !== 1 || !isRegular(found)) {
      await this.#directory.check();
      this.#current = undefined;
      await this.#directory.files.close(current.fd);
      if (found !== undefined) await this.#open();
      this.#options.tell(
        `${this.#path} was ${found === undefined ? 'removed' : 'replaced'} by somebody else. Starting a new one.`,
      );
      return found?.size ?? 0;
    }
    const expected = endOf(current);
    if (current.isTorn) await this.#cut(current, expected);
    else if (found.size < expected) await this.#mend(current, found.size);
    else if (found.size > expected) {
      this.#options.tell(`${this.#path} was written to by somebody else.`);
      current.ends.push(found.size);
    }
    return endOf(current);
  }

  /**
   * Repairs a log that somebody else truncated, before or after the last sample was written. The last sample is kept if
   * the file still ends with it (compared by its first bytes) and a whole sample stands before it. Otherwise the file
   * is cut, and the result is false: the last sample is lost too.
   */
  async #mend(current: CurrentFile, size: number): Promise<boolean> {
    const { ends, last } = current;
    const { head } = last;
    const before = size - last.length;
    const isThere = before >= 0 && head.equals(await this.#directory.files.read(current.fd, before, head.length));
    const isWhole = isThere && (before === 0 || ends.includes(before));
    if (isWhole) {
      while (endOf(current) > before) ends.pop();
      ends.push(size);
    } else await this.#cut(current, isThere || last.length > ATOMIC_BYTES ? Math.max(0, before) : size);
    this.#options.tell(`${this.#path} was truncated by somebody else. Earlier samples are lost.`);
    return isWhole;
  }

  /** Truncates the file to the last end of a sample at or below `size`. */
  async #cut(current: CurrentFile, size: number): Promise<void> {
    while (endOf(current) > size) current.ends.pop();
    await this.#directory.files.truncate(current.fd, endOf(current));
    current.isTorn = false;
  }

  async #open(): Promise<CurrentFile> {
    if (this.#current !== undefined) return this.#current;
    const { fd, status } = await this.#directory.open(this.name, O_RDWR | O_APPEND | O_CREAT);
    this.#current = { fd, status, ends: [status.size], last: { head: Buffer.alloc(0), length: 0 }, isTorn: false };
    return this.#current;
  }

  async #write(bytes: Buffer, announce: (append: Append) => Promise<void>): Promise<void> {
    const { files } = this.#directory;
    for (let tries = 0; ; tries++) {
      const current = await this.#open();
      const sizeBefore = endOf(current);
      await announce({ inode: String(current.status.inode), sizeBefore, bytes: bytes.length });
      current.isTorn = true;
      try {
        await files.append(current.fd, bytes);
      } catch (error) {
        // If truncating fails too, `isTorn` has it repeated before the next write.
        await this.#cut(current, sizeBefore).catch(() => undefined);
        throw error;
      }
      current.isTorn = false;
      current.last = { head: Buffer.from(bytes.subarray(0, HEAD_BYTES)), length: bytes.length };
      current.ends.push(sizeBefore + bytes.length);
      // A large sample takes several calls, and somebody may truncate the file between them. After a single call,
      // #resume finds that out before the next write.
      if (bytes.length <= ATOMIC_BYTES || tries > 2) return;
      const { size } = await files.statusOf(current.fd);
      if (size >= endOf(current) || (await this.#mend(current, size))) return;
    }
  }

  async #cutTornSample({ inode, sizeBefore, bytes }: Append): Promise<void> {
    if (((await this.#directory.status(this.name))?.size ?? 0) === 0) return;
    const { fd, status } = await this.#directory.open(this.name, O_RDWR);
    if (String(status.inode) === inode && status.size > sizeBefore && status.size < sizeBefore + bytes)
      await this.#directory.files.truncate(fd, sizeBefore);
    await this.#directory.files.close(fd);
  }

  /** Renames the log to a rotated file, to be compressed later. */
  async #rename(): Promise<void> {
    const { files, fd: folder } = this.#directory;
    // Opened for its checks: the log may be a link by now.
    const { fd, status } = await this.#directory.open(this.name, O_RDONLY);
    await files.close(fd);
    // Later than all others even if the clock was set back: names stay unique and sort by time.
    const newest = Math.max(0, this.#files.at(-1)?.seconds ?? 0);
    let seconds = Math.max(Math.floor(this.#options.nowMs() / 1000), newest + 1);
    // Something that has such a name but is no regular file is not kstack's, and is left alone.
    while ((await this.#exists(`${this.name}-${seconds}`)) || (await this.#exists(`${this.name}-${seconds}.gz`)))
      seconds++;
    const file = `${this.name}-${seconds}`;
    await files.rename(folder, this.name, file);
    this.#files = [...this.#files, { file, seconds, kind: '', size: status.size }];
    const current = this.#current;
    this.#current = undefined;
    if (current !== undefined) await files.close(current.fd);
  }

  /**
   * Compresses the renamed files if there is space for both forms. If the compressed form already exists, a crash came
   * before the original was removed.
   */
  async #compressRenamed(): Promise<void> {
    const waiting = this.#files.filter(({ kind }) => kind === '');
    if (waiting.length === 0 || this.#hurry.signal.aborted) return;
    for (const { file, size } of waiting) {
      if (!this.#files.some((other) => other.file === `${file}.gz`)) {
        if (describeFull(await this.#directory.space(), this.#options.maxUsedPercent, size) !== undefined) continue;
        try {
          await compressFile(this.#directory, file, this.#hurry.signal);
        } catch (error) {
          if (error instanceof Interrupted) return;
          if (codeOf(error) !== 'ENOENT') throw error;
          continue;
        }
      }
      await this.#remove(file);
    }
    await this.#list();
  }

  /** Removes rotated files, oldest first, until at most `keep` are left and the total size is within its limit. */
  async #removeOldest(): Promise<void> {
    let total = totalOf(this.#files) + (this.#current === undefined ? 0 : endOf(this.#current));
    while (this.#files.length > this.#options.keep || total > this.#maxTotalBytes) {
      const [oldest, ...others] = this.#files;
      if (oldest === undefined) return;
      await this.#remove(oldest.file);
      total -= oldest.size;
      this.#files = others;
    }
  }

  async #list(): Promise<readonly RotatedFile[]> {
    this.#files = await listRotated(this.#directory, this.name);
    return this.#files;
  }

  async #exists(file: string): Promise<boolean> {
    return (await this.#directory.status(file)) !== undefined;
  }

  async #remove(file: string): Promise<void> {
    try {
      await this.#directory.files.unlink(this.#directory.fd, file);
    } catch (error) {
      // Somebody else removed it first.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Enough of a sample to tell it from others: its first line has the time. */
const HEAD_BYTES = 256;
/** Up to this size a sample is appended with one call, so that nobody can truncate the file in the middle. */
const ATOMIC_BYTES = 1 << 20;

function endOf({ ends }: CurrentFile): number {
  return ends.at(-1) ?? 0;
}
