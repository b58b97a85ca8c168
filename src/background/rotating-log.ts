import { constants } from 'node:fs';
import { codeOf, type FileStatus, isRegular } from '../files/files.ts';
import { compressFile, Interrupted } from './compressed-file.ts';
import { hostInFileName, type LogDirectory, LogError } from './log-directory.ts';
import { listRotated, type RotatedFile, totalOf } from './rotated-files.ts';
import { describeFull, meansFull } from './space.ts';

const { O_RDWR, O_RDONLY, O_APPEND, O_CREAT } = constants;

export interface RotatingLogOptions {
  readonly host: string;
  /** The size that a file does not pass: before it would, it is rotated. */
  readonly maxBytes: number;
  /** How many rotated files are kept. All files together take at most `maxBytes` times this (times one, if 0). */
  readonly keep: number;
  /** Per cent of the file system; nothing is written while that much is used, or would be. */
  readonly maxUsedPercent: number;
  /** Unix milliseconds. */
  nowMs(): number;
  /** Says what somebody else did to the log. */
  tell(text: string): void;
}

/** What is about to be appended, for whoever has to tell a whole sample from a torn one after a crash. */
export interface Append {
  /** Whole: some file systems number inodes above 2^53. */
  readonly inode: string;
  readonly sizeBefore: number;
  readonly bytes: number;
}

/** Why a sample was not appended: never will be; not while the file system is full; or not while it fails. */
export interface Refusal {
  readonly reason: string;
  readonly kind: 'never' | 'full' | 'failing';
}

/** The log as this run has left it. `ends` are the sizes at which it was whole, the last one its size. */
interface CurrentFile {
  readonly fd: number;
  readonly status: FileStatus;
  readonly ends: number[];
  /** What was appended last: its first line, and how long it is. */
  last: { readonly head: Buffer; readonly length: number };
  /** Set while a write is under way: what it leaves when it fails is torn. */
  isTorn: boolean;
}

/**
 * A log `kstack_HOST.out` that is rotated by size into `kstack_HOST.out-SECONDS.gz`. At every moment each sample stands
 * in exactly one of the files that count: the log is first renamed to `...out-SECONDS`, then compressed into
 * `...gz.tmp`, synced, renamed to `...gz`, and only then removed. A crash in between leaves files that {@link recover}
 * and the next {@link append} finish or remove.
 */
export class RotatingLog {
  readonly name: string;
  readonly #directory: LogDirectory;
  readonly #options: RotatingLogOptions;
  /** The rotated files, the oldest first. Others may remove some; the bounds are looked after with each rotation. */
  #files: readonly RotatedFile[] = [];
  #current: CurrentFile | undefined;
  readonly #hurry = new AbortController();

  constructor(directory: LogDirectory, options: RotatingLogOptions) {
    this.#directory = directory;
    this.#options = options;
    this.name = `kstack_${hostInFileName(options.host)}.out`;
  }

  /**
   * Cuts what a run that crashed tore, given what it was about to append; then renames what earlier runs left, for the
   * first append to compress.
   */
  async recover(interrupted: Append | undefined): Promise<void> {
    await this.#directory.check();
    if (interrupted !== undefined) await this.#cutTornSample(interrupted);
    for (const { file, kind } of await this.#list()) if (kind === '.gz.tmp') await this.#remove(file);
    await this.#list();
    if (((await this.#directory.status(this.name))?.size ?? 0) > 0) await this.#rename();
  }

  /**
   * Appends a sample, whole or not at all; `announce` is awaited right before.
   * @throws LogError when the directory or the file has been replaced.
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

  /** From here on nothing is compressed, which may take long: the next run does it. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Bytes and number of the run's files, the current one first. */
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

  /**
   * Finds out what has become of the log since it was written last, and says it; returns its size. What is torn is cut.
   */
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
        `${this.#path} was ${found === undefined ? 'removed' : 'replaced'} by somebody else. A new one is begun.`,
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
   * Sees to a log that somebody else has truncated, before or after the last sample was written, which is known by its
   * first line. False where that is lost too. What stands before it is whole only where a sample ended.
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
    this.#options.tell(`${this.#path} was truncated by somebody else: samples are lost. Whole ones follow.`);
    return isWhole;
  }

  /** Cuts the file to where it was whole last, at this size or before. */
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
        // Where even that fails, it is done before the next write.
        await this.#cut(current, sizeBefore).catch(() => undefined);
        throw error;
      }
      current.isTorn = false;
      current.last = { head: Buffer.from(bytes.subarray(0, HEAD_BYTES)), length: bytes.length };
      current.ends.push(sizeBefore + bytes.length);
      // Between the calls for a large one somebody may have truncated it; for others that is found out before the next
      // one.
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

  /** Gives the log the name of a rotated file, under which it waits for being compressed. */
  async #rename(): Promise<void> {
    const { files, fd: folder } = this.#directory;
    // Looked at as all that is opened here: it may be a link.
    const { fd, status } = await this.#directory.open(this.name, O_RDONLY);
    await files.close(fd);
    // Later than all others whatever the clock says, so that names are unique and their order is that of time.
    const newest = Math.max(0, this.#files.at(-1)?.seconds ?? 0);
    let seconds = Math.max(Math.floor(this.#options.nowMs() / 1000), newest + 1);
    // What has such a name and is no file is not of kstack's making, and stays.
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
   * Compresses what was renamed and not compressed yet, where there is space for both; one whose compressed form is
   * there was finished before a crash.
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

  /**
   * Removes rotated files, the oldest first, until no more than `keep` are left and all together are within their
   * limit.
   */
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
      // Somebody else was sooner.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** So much of a sample tells it from others: its first line has the time. */
const HEAD_BYTES = 256;
/** What is appended with one call, so that nobody truncates the file in the middle. */
const ATOMIC_BYTES = 1 << 20;

function endOf({ ends }: CurrentFile): number {
  return ends.at(-1) ?? 0;
}
