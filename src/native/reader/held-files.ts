import { constants } from 'node:fs';
import { O_CLOEXEC } from '../files.ts';
import { type Answer, FileCalls, isEnded, type NoAnswerOf, withCode } from './file-calls.ts';
import { F_OFD_SETLK, flock, LOCK, STATX_BASIC_STATS, STATX_BYTES, statusFrom, text } from './file-structs.ts';
import type { CallArgument } from './protocol.ts';
import type { Reader } from './reader.ts';

type FileCall = Parameters<FileCalls['make']>[0];

/** include/uapi/linux/fcntl.h */
export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;

/** What is left out when a file is opened once more: it must be the one that was open. */
const ONLY_AT_FIRST = constants.O_CREAT | constants.O_EXCL | constants.O_TRUNC;

/** The calls that may be made again if the reader ended meanwhile: twice has the same effect as once. */
const REPEATABLE: ReadonlySet<FileCall> = new Set<FileCall>([
  'openat',
  'statx',
  'statfs',
  'fstatfs',
  'pread64',
  'pwrite64',
  'ftruncate',
  'fsync',
  'fcntl',
  'readlinkat',
]);

/** An open file, and what it takes to open it in another reader. */
interface Held {
  readonly name: string;
  readonly folder: number | undefined;
  readonly path: string;
  readonly flags: number;
  at: Real;
  /** Known once its status was asked for. */
  identity?: { readonly device: string; readonly inode: bigint };
  isLocked: boolean;
  wasReopened: boolean;
  reopening?: Promise<void> | undefined;
}

/** A descriptor of the reader with that number. */
interface Real {
  readonly real: number;
  readonly reader: number;
}

/** A descriptor that stands for the one that the reader has. */
export interface HeldFd {
  readonly held: number;
  /** The call depends on where the file was read or written last, which is lost if it is opened again. */
  readonly isPositioned?: boolean;
}

/** An argument of a call on files. `linkOf` is the path by which the reader knows the open file. */
export type Argument = CallArgument | Real | HeldFd | { readonly linkOf: number };

/**
 * Open files of a reader. If somebody kills it, another one is started, and files that are still the same are opened and
 * locked again as they are needed.
 */
export class HeldFiles {
  readonly calls: FileCalls;
  readonly #held = new Map<number, Held>();
  #lastFd = 0;

  constructor(reader: Pick<Reader, 'call' | 'end' | 'restart'>, deadlineMs: number, noAnswer: NoAnswerOf) {
    this.calls = new FileCalls(reader, deadlineMs, noAnswer);
  }

  async open(folder: number | undefined, path: string, flags: number, mode = 0): Promise<number> {
    const name = this.nameIn(folder, path);
    const fd = ++this.#lastFd;
    const at = await this.#openReal(folder, path, flags, mode);
    this.#held.set(fd, { name, folder, path, flags, at, isLocked: false, wasReopened: false });
    return fd;
  }

  async close(fd: number): Promise<void> {
    const held = this.#held.get(fd);
    this.#held.delete(fd);
    if (held !== undefined) await this.#closeReal(held.at, held.name);
  }

  /** Notes what a file has to be if it is opened again. */
  identify(fd: number, identity: NonNullable<Held['identity']>): void {
    const held = this.#held.get(fd);
    if (held !== undefined) held.identity = identity;
  }

  /** Notes whether a file is to be locked if it is opened again. */
  setLocked(fd: number, isLocked: boolean): void {
    const held = this.#held.get(fd);
    if (held !== undefined) held.isLocked = isLocked;
  }

  nameIn(folder: number | undefined, path: string): string {
    return folder === undefined ? path : `${this.nameOf(folder)}/${path}`;
  }

  nameOf(fd: number): string {
    return this.#held.get(fd)?.name ?? `descriptor ${fd}`;
  }

  /** Makes a call with these files, once more if the reader ended meanwhile and that does no harm. */
  async call(
    call: FileCall,
    args: readonly Argument[],
    path: string,
    late?: (answer: Answer) => void,
  ): Promise<Answer> {
    const make = async () => {
      for (;;) {
        const reader = this.calls.readerNumber();
        const actual: CallArgument[] = [];
        for (const argument of args) actual.push(await this.#actual(argument, reader, path));
        // Opening a file again may have taken yet another reader.
        if (reader === this.calls.readerNumber()) return this.calls.make(call, actual, path, late);
      }
    };
    return make().catch((error: unknown) => {
      if (!isEnded(error) || !isRepeatable(call, args)) throw error;
      return make();
    });
  }

  async #actual(argument: Argument, reader: number, path: string): Promise<CallArgument> {
    if (typeof argument !== 'object') return argument;
    if ('held' in argument) return this.#realOf(argument.held, argument.isPositioned);
    if ('linkOf' in argument) return text(`/proc/self/fd/${await this.#realOf(argument.linkOf)}`);
    if (!('real' in argument)) return argument;
    if (argument.reader !== reader) throw changed(path, 'the process that had it open was killed');
    return argument.real;
  }

  async #openReal(folder: number | undefined, path: string, flags: number, mode: number): Promise<Real> {
    const name = this.nameIn(folder, path);
    const args = [folderArgument(folder), text(path), flags | O_CLOEXEC, mode];
    const late = (answer: Answer) => void this.#closeReal(realFrom(answer), name).catch(() => undefined);
    return realFrom(await this.call('openat', args, name, late));
  }

  /** What an earlier reader had open is closed already. */
  async #closeReal(at: Real, name: string): Promise<void> {
    if (at.reader === this.calls.readerNumber()) await this.call('close', [at], name);
  }

  /** Its descriptor in the present reader, which opens it again if needed. */
  async #realOf(fd: number, isPositioned = false): Promise<number> {
    const held = this.#held.get(fd);
    if (held === undefined) throw withCode('EBADF', `descriptor ${fd} is not open`);
    if (held.at.reader !== this.calls.readerNumber()) {
      held.reopening ??= this.#reopen(held).finally(() => {
        held.reopening = undefined;
      });
      await held.reopening;
    }
    if (isPositioned && held.wasReopened && (held.flags & constants.O_APPEND) === 0)
      throw changed(held.name, 'the process that wrote it was killed');
    return held.at.real;
  }

  /** Opens a file again, and locks it if it was locked. */
  async #reopen(held: Held): Promise<void> {
    const { name, folder, path, flags, identity } = held;
    if (identity === undefined) throw changed(name, 'the process that had it open was killed');
    const at = await this.#openReal(folder, path, flags & ~ONLY_AT_FIRST, 0);
    try {
      const args = [at, text(''), AT_EMPTY_PATH, STATX_BASIC_STATS, { out: STATX_BYTES }];
      const found = statusFrom((await this.call('statx', args, name)).bytes);
      if (found.inode !== identity.inode || found.device !== identity.device)
        throw changed(name, 'it was replaced by another file');
      if (held.isLocked) await this.call('fcntl', [at, F_OFD_SETLK, flock(LOCK.write)], name).catch(throwLocked);
    } catch (error) {
      await this.#closeReal(at, name);
      throw error;
    }
    held.at = at;
    held.wasReopened = true;
  }
}

function isRepeatable(call: FileCall, args: readonly Argument[]): boolean {
  const [, , flags] = args;
  // A file that was created cannot be created once more.
  if (call === 'openat' && typeof flags === 'number' && (flags & constants.O_EXCL) !== 0) return false;
  return REPEATABLE.has(call);
}

/** Of a lock that another process has taken: EAGAIN, which could mean anything, becomes EBUSY. */
function throwLocked(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EAGAIN' && code !== 'EACCES') throw error;
  throw withCode('EBUSY', 'another process has locked it meanwhile');
}

function changed(name: string, why: string): Error {
  return withCode('ESTALE', `cannot go on with ${name}: ${why}`);
}

function realFrom({ result, reader }: Answer): Real {
  return { real: result, reader };
}

export function folderArgument(folder: number | undefined): Argument {
  return folder === undefined ? AT_FDCWD : { held: folder };
}
