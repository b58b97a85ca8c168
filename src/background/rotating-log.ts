import { constants } from 'node:fs';
import { codeOf } from '../files/files.ts';
import type { Clock } from '../model/time.ts';
import { reasonOf } from '../native/reason.ts';
import type { Piece } from '../recording/write.ts';
import { compressFile, Interrupted } from './compressed-file.ts';
import { type LogDirectory, LogError } from './log-directory.ts';
import { type Append, LogFile } from './log-file.ts';
import type { LogNames } from './log-names.ts';
import { listRotated, type RotatedFile, totalOf } from './rotated-files.ts';
import { describeFull, meansFull } from './space.ts';

/** What a log may take. */
export interface LogBounds {
  /** The largest size of a file; it is rotated before a piece would exceed it. */
  readonly fileBytes: number;
  /** How many rotated files are kept. */
  readonly keep: number;
  readonly totalBytes: number;
  /** A rotated file is removed at this age. The current one is rotated after a sixteenth of it. */
  readonly ageMs?: number | undefined;
  /** Nothing is written while the file system is this full, or would be after the write. */
  readonly maxUsedPercent: number;
  /** The options that set the sizes, for messages. */
  readonly options: string;
}

export interface RotatingLogOptions {
  readonly names: LogNames;
  readonly bounds: LogBounds;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Reports what somebody else did to the log. */
  tell(text: string): void;
}

/**
 * Why a piece was not appended: it can never be, the file system is full, or fails, or what the piece continues is not
 * the end of the file.
 */
export interface Refusal {
  readonly reason: string;
  readonly kind: 'never' | 'full' | 'failing' | 'apart';
}

const PARTS_OF_AGE = 16;

/**
 * A log that is rotated by size and age. A crash neither loses nor duplicates a sample. A text log is renamed to
 * `...out-SECONDS`, compressed into `...gz.tmp`, synced and renamed to `...gz`; only then is the uncompressed file
 * removed. {@link recover} and the next {@link append} finish or remove what a crash left in between. A recording is
 * only renamed, between two segments.
 */
export class RotatingLog {
  readonly #directory: LogDirectory;
  readonly #options: RotatingLogOptions;
  readonly #file: LogFile;
  /** The rotated files, oldest first. Others may remove some; the list is refreshed with each rotation. */
  #files: readonly RotatedFile[] = [];
  /** When the current file was begun, on the monotonic clock. */
  #begunMs: number;
  readonly #hurry = new AbortController();

  constructor(directory: LogDirectory, options: RotatingLogOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#file = new LogFile(directory, options.names, options.tell);
    this.#begunMs = options.clock.monotonicMs();
  }

  get name(): string {
    return this.#options.names.current;
  }

  /** Creates the file. @throws the error of open(2): EEXIST if there is one */
  create(): Promise<void> {
    return this.#file.create();
  }

  /** Renames the log of the earlier run, and removes what its crash left behind. */
  async recover(): Promise<void> {
    await this.#directory.check();
    for (const { file, kind } of await this.#list()) if (kind === '.gz.tmp') await this.#remove(file);
    await this.#list();
    if (((await this.#directory.status(this.name))?.size ?? 0) > 0) await this.#rename();
  }

  /**
   * Appends a piece completely or not at all. Awaits `announce` right before the write.
   * @throws LogError if the directory or the file was replaced
   */
  async append(piece: Piece, announce: (append: Append) => Promise<void>): Promise<Refusal | undefined> {
    const { totalBytes, fileBytes, maxUsedPercent, options } = this.#options.bounds;
    if (piece.length > totalBytes) {
      const megabytes = (piece.length / 2 ** 20).toFixed(1);
      const reason = `A sample of ${megabytes} MB is larger than all log files may be together (${options}), and is left out.`;
      return { reason, kind: 'never' };
    }
    try {
      const [found, space] = await Promise.all([this.#directory.status(this.name), this.#directory.space()]);
      const size = await this.#file.resume(found);
      const refusal = describeFull(space, maxUsedPercent, piece.length);
      if (refusal !== undefined) return { reason: refusal, kind: 'full' };
      await this.#compressRenamed();
      const isFull = size + piece.length > fileBytes;
      if (size > 0 && !piece.continues && (isFull || this.#isOld())) {
        await this.#rename();
        await this.#compressRenamed();
      }
      if (!(await this.#file.append(piece, announce)))
        return { reason: `${this.#directory.name}/${this.name} was changed by somebody else.`, kind: 'apart' };
      await this.#removeOldest();
      return undefined;
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof LogError || !(error instanceof Error) || code === undefined) throw error;
      if (code === 'ENOENT') await this.#directory.check();
      return {
        reason: `Cannot write to ${this.#directory.name}: ${reasonOf(error)}.`,
        kind: meansFull(code) ? 'full' : 'failing',
      };
    }
  }

  /** Stops compressing, which may take long. The next run will do it. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Has the kernel write the current file to its device, or removes it if nothing was written to it. */
  end(): Promise<void> {
    return this.#file.end();
  }

  /** Bytes in the current file, bytes in all files, and the number of files. */
  async sizes(): Promise<{ current: number; total: number; files: number }> {
    const files = await this.#list();
    const current = (await this.#directory.status(this.name))?.size ?? 0;
    return { current, total: totalOf(files) + current, files: files.length + 1 };
  }

  #isOld(): boolean {
    const { bounds, clock } = this.#options;
    const { ageMs = Number.POSITIVE_INFINITY } = bounds;
    return clock.monotonicMs() - this.#begunMs >= ageMs / PARTS_OF_AGE;
  }

  /** Renames the log to a rotated file, to be compressed later. */
  async #rename(): Promise<void> {
    const { files, fd: folder } = this.#directory;
    const { names, clock } = this.#options;
    // Opened for its checks: the log may be a link by now.
    const { fd, status } = await this.#directory.open(this.name, constants.O_RDONLY);
    await files.close(fd);
    // Later than all others even if the clock was set back: names stay unique and sort by time.
    const newest = Math.max(0, this.#files.at(-1)?.seconds ?? 0);
    let seconds = Math.max(Math.floor(clock.nowMs() / 1000), newest + 1);
    // Something that has such a name but is no regular file is not kstack's, and is left alone.
    while ((await this.#exists(names.rotated(seconds))) || (await this.#exists(`${names.rotated(seconds)}.gz`)))
      seconds++;
    const file = names.rotated(seconds);
    await files.rename(folder, this.name, file);
    const { size, modifiedMs } = status;
    this.#files = [...this.#files, { file, seconds, kind: '', size, modifiedMs }];
    this.#begunMs = clock.monotonicMs();
    await this.#file.close();
  }

  /**
   * Compresses the renamed files if there is space for both forms. If the compressed form already exists, a crash came
   * before the original was removed.
   */
  async #compressRenamed(): Promise<void> {
    if (this.#options.names.holds === 'recording') return;
    const waiting = this.#files.filter(({ kind }) => kind === '');
    if (waiting.length === 0 || this.#hurry.signal.aborted) return;
    for (const { file, size } of waiting) {
      if (!this.#files.some((other) => other.file === `${file}.gz`)) {
        if (describeFull(await this.#directory.space(), this.#options.bounds.maxUsedPercent, size) !== undefined)
          continue;
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

  /** Removes rotated files, oldest first, until those left are within the bounds. */
  async #removeOldest(): Promise<void> {
    const { bounds, clock } = this.#options;
    const { keep, totalBytes, ageMs = Number.POSITIVE_INFINITY } = bounds;
    // What was written last to a file may be so much younger than what was written first.
    const isTooOld = ({ modifiedMs }: RotatedFile) => clock.nowMs() - modifiedMs >= ageMs - ageMs / PARTS_OF_AGE;
    const total = () => totalOf(this.#files) + this.#file.size;
    const tooMuch = () => {
      const [oldest] = this.#files;
      if (oldest === undefined) return undefined;
      return this.#files.length > keep || total() > totalBytes || isTooOld(oldest) ? oldest : undefined;
    };
    if (tooMuch() === undefined) return;
    // Somebody else may have removed some.
    await this.#list();
    for (let oldest = tooMuch(); oldest !== undefined; oldest = tooMuch()) {
      await this.#remove(oldest.file);
      this.#files = this.#files.slice(1);
    }
  }

  async #list(): Promise<readonly RotatedFile[]> {
    this.#files = await listRotated(this.#directory, this.#options.names);
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
