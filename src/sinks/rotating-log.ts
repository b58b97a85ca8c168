import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { hostInFileName, type LogDirectory, LogError } from './log-directory.ts';

const CHUNK_BYTES = 1 << 18;

const { O_WRONLY, O_RDONLY, O_APPEND, O_CREAT, O_EXCL } = constants;

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
}

/** What is about to be appended, for whoever has to tell a whole sample from a torn one after a crash. */
export interface Append {
  readonly inode: number;
  readonly sizeBefore: number;
  readonly bytes: number;
}

/** Why a sample was not appended. `passes` says that one may be later: the file system is full now. */
export interface Refusal {
  readonly reason: string;
  readonly passes: boolean;
}

/**
 * A log `kstack_HOST.out` that is rotated by size into `kstack_HOST.out-SECONDS.gz`. At every moment each sample stands in exactly one of the files that count: the
 * log is first renamed to `...out-SECONDS`, then compressed into `...gz.tmp`, synced, renamed to `...gz`, and only then removed. A crash in between leaves files that
 * {@link recover} finishes or removes.
 */
export class RotatingLog {
  readonly name: string;
  readonly #directory: LogDirectory;
  readonly #options: RotatingLogOptions;
  readonly #rotated: RegExp;

  constructor(directory: LogDirectory, options: RotatingLogOptions) {
    this.#directory = directory;
    this.#options = options;
    this.name = `kstack_${hostInFileName(options.host)}.out`;
    this.#rotated = new RegExp(`^${escapeRegExp(this.name)}-(?<seconds>\\d{1,12})(?<kind>|\\.gz|\\.gz\\.tmp)$`);
  }

  /** Finishes what a run that crashed began, given what it was about to append; then rotates what earlier runs left. */
  async recover(interrupted: Append | undefined): Promise<void> {
    this.#directory.check();
    if (interrupted !== undefined) this.#cutTornSample(interrupted);
    for (const { file, kind } of this.#files()) if (kind === '.gz.tmp') this.#remove(file);
    await this.#finishRotations();
    if (this.#size(this.name) > 0) await this.#rotate();
    this.#removeOldest();
  }

  /**
   * Appends a sample, whole or not at all; `announce` is called right before.
   * @throws LogError when the directory or the file has been replaced.
   */
  async append(text: string, announce: (append: Append) => void): Promise<Refusal | undefined> {
    const bytes = Buffer.from(text);
    const { maxBytes } = this.#options;
    this.#directory.check();
    if (bytes.length > this.#maxTotalBytes) {
      const megabytes = (bytes.length / 2 ** 20).toFixed(1);
      const reason = `A sample of ${megabytes} MB is larger than all log files may be together (-m times -n), and is left out.`;
      return { reason, passes: false };
    }
    const size = this.#size(this.name);
    const rotates = size > 0 && size + bytes.length > maxBytes;
    const refusal = refuseForSpace(this.#directory, this.#options.maxUsedPercent, bytes.length);
    if (refusal !== undefined) return { reason: refusal, passes: true };
    try {
      await this.#finishRotations();
      if (rotates) await this.#rotate();
      this.#write(bytes, announce);
    } catch (error) {
      if (error instanceof LogError || !isFull(error)) throw error;
      return { reason: `Cannot write to ${this.#directory.name}: ${error.message}.`, passes: true };
    }
    this.#removeOldest();
    return undefined;
  }

  /** Bytes and number of the run's files, the current one first. */
  sizes(): { current: number; total: number; files: number } {
    const rotated = this.#files().map(({ file }) => this.#size(file));
    const current = this.#size(this.name);
    return { current, total: rotated.reduce((sum, size) => sum + size, current), files: rotated.length + 1 };
  }

  get #maxTotalBytes(): number {
    return this.#options.maxBytes * Math.max(1, this.#options.keep);
  }

  #write(bytes: Buffer, announce: (append: Append) => void): void {
    const fd = this.#directory.open(this.name, O_WRONLY | O_APPEND | O_CREAT);
    const { size: sizeBefore, ino: inode } = fstatSync(fd);
    try {
      announce({ inode, sizeBefore, bytes: bytes.length });
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (error) {
      ftruncateSync(fd, sizeBefore);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  #cutTornSample({ inode, sizeBefore, bytes }: Append): void {
    if (this.#size(this.name) === 0) return;
    const fd = this.#directory.open(this.name, O_WRONLY);
    const { size, ino } = fstatSync(fd);
    if (ino === inode && size > sizeBefore && size < sizeBefore + bytes) ftruncateSync(fd, sizeBefore);
    closeSync(fd);
  }

  /** Compresses what was renamed and not compressed, since the file system was full or the run was killed. */
  async #finishRotations(): Promise<void> {
    for (const { file, kind } of this.#files()) if (kind === '') await this.#compress(file);
  }

  async #rotate(): Promise<void> {
    closeSync(this.#directory.open(this.name, O_RDONLY));
    // Later than all others whatever the clock says, so that names are unique and their order is that of time.
    const newest = this.#files().reduce((most, { seconds }) => Math.max(most, seconds), 0);
    let seconds = Math.max(Math.floor(this.#options.nowMs() / 1000), newest + 1);
    // What has such a name and is no file is not of kstack's making, and stays.
    while (this.#exists(`${this.name}-${seconds}`) || this.#exists(`${this.name}-${seconds}.gz`)) seconds++;
    const file = `${this.name}-${seconds}`;
    renameSync(this.#directory.path(this.name), this.#directory.path(file));
    await this.#compress(file);
  }

  /** Turns a renamed log into its compressed form, where there is space for both; one that is already there was finished before a crash. */
  async #compress(file: string): Promise<void> {
    const target = `${file}.gz`;
    if (!this.#files().some((other) => other.file === target)) {
      if (refuseForSpace(this.#directory, this.#options.maxUsedPercent, this.#size(file)) !== undefined) return;
      const temporary = `${target}.tmp`;
      const from = this.#directory.open(file, O_RDONLY);
      try {
        const to = this.#directory.open(temporary, O_WRONLY | O_CREAT | O_EXCL);
        try {
          await pipeline(chunksOf(from), createGzip(), (compressed) => writeChunks(to, compressed));
          fsyncSync(to);
        } catch (error) {
          this.#remove(temporary);
          throw error;
        } finally {
          closeSync(to);
        }
      } finally {
        closeSync(from);
      }
      renameSync(this.#directory.path(temporary), this.#directory.path(target));
      this.#sync();
    }
    this.#remove(file);
  }

  #sync(): void {
    const fd = openSync(this.#directory.path('.'), O_RDONLY);
    fsyncSync(fd);
    closeSync(fd);
  }

  /** Removes rotated files, the oldest first, until no more than `keep` are left and all together are within their limit. */
  #removeOldest(): void {
    const rotated = this.#files().map(({ file }) => ({ file, size: this.#size(file) }));
    let total = rotated.reduce((sum, { size }) => sum + size, this.#size(this.name));
    let left = rotated.length;
    for (const { file, size } of rotated) {
      if (left <= this.#options.keep && total <= this.#maxTotalBytes) break;
      this.#remove(file);
      total -= size;
      left--;
    }
  }

  /** What has come of rotations, the oldest first. */
  #files(): { file: string; seconds: number; kind: string }[] {
    const files = this.#directory.list().flatMap((file) => {
      const { seconds, kind } = this.#rotated.exec(file)?.groups ?? {};
      if (seconds === undefined || kind === undefined || !this.#isFile(file)) return [];
      return { file, seconds: Number(seconds), kind };
    });
    return files.sort((a, b) => a.seconds - b.seconds);
  }

  #exists(file: string): boolean {
    return lstatSync(this.#directory.path(file), { throwIfNoEntry: false }) !== undefined;
  }

  #isFile(file: string): boolean {
    return lstatSync(this.#directory.path(file), { throwIfNoEntry: false })?.isFile() === true;
  }

  #size(file: string): number {
    return lstatSync(this.#directory.path(file), { throwIfNoEntry: false })?.size ?? 0;
  }

  #remove(file: string): void {
    unlinkSync(this.#directory.path(file));
  }
}

/** The content of a file. (A stream of Node.js would close the descriptor, when it fails, at a moment of its own.) */
function* chunksOf(fd: number): Generator<Buffer> {
  for (;;) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

async function writeChunks(fd: number, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
}

/** Why so many bytes more may not be written, undefined when they may: the file system is too full, or would be. */
export function refuseForSpace(directory: LogDirectory, maxUsedPercent: number, bytes: number): string | undefined {
  const { blocks, used, blockBytes } = directory.space();
  // Some file systems (overlays of nothing, some fuse) have no blocks to count.
  if (blocks === 0) return undefined;
  const usedPercent = Math.ceil((100 * used) / blocks);
  // One block more for the end of the last one, one for what the file system needs to find them.
  const then = used + Math.ceil(bytes / blockBytes) + 2;
  const wouldPass = bytes > 0 && (100 * then) / blocks > maxUsedPercent;
  if (usedPercent >= maxUsedPercent || wouldPass)
    return `Maximum filesystem space reached. Used: ${usedPercent}%, Threshold: ${maxUsedPercent}%`;
  return undefined;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** Whether a write failed for a reason that may pass: there is no space, or the file system is out of order. */
export function isFull(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && FULL.has(error.code);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
