import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A log directory or file is not what it was, or not what a log may be: whoever writes on would write into something else. */
export class LogError extends Error {}

/** The host's name as a part of file names: the kernel takes any bytes for it. */
export function hostInFileName(host: string): string {
  return host.replaceAll(/[/\0]/g, '_');
}

/**
 * A directory for logs, held open. All paths that {@link path} gives lead into this very directory, whatever becomes of its name;
 * {@link check} says whether the name still leads there too.
 */
export class LogDirectory {
  /** The name it was found under, without links. */
  readonly name: string;
  readonly #fd: number;
  readonly #identity: Stats;

  /** `make`: where the directory is missing, it is made, for its owner alone. @throws what mkdir(2) and open(2) fail with. */
  constructor(name: string, make: boolean) {
    if (make) makeFolders(resolve(name));
    this.name = realpathSync(name);
    this.#fd = openSync(this.name, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    this.#identity = fstatSync(this.#fd);
  }

  path(file: string): string {
    return `/proc/self/fd/${this.#fd}/${file}`;
  }

  list(): string[] {
    return readdirSync(this.path('.'));
  }

  /** @throws LogError when the directory was removed, or something else has its name. */
  check(): void {
    const found = lstatSync(this.name, { throwIfNoEntry: false });
    if (found === undefined) throw new LogError(`the log directory ${this.name} was removed`);
    if (found.dev !== this.#identity.dev || found.ino !== this.#identity.ino)
      throw new LogError(`the log directory ${this.name} was replaced by another file or a link`);
  }

  /**
   * Opens a file of the directory for its owner alone, never through a link.
   * @throws LogError when it is a link, or no regular file, or has a second name, or belongs to somebody else.
   */
  open(file: string, flags: number): number {
    let fd: number;
    try {
      // O_NONBLOCK, since opening a FIFO would wait for its reader.
      fd = openSync(this.path(file), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ELOOP') throw new LogError(`${this.name}/${file} is a symbolic link; nothing is written through it`);
      if (code === 'ENXIO' || code === 'EISDIR') throw new LogError(`${this.name}/${file} is not a regular file`);
      throw error;
    }
    const stats = fstatSync(fd);
    const ours = stats.uid === process.geteuid?.();
    if (stats.isFile() && stats.nlink === 1 && ours) {
      // Logs of the tool that this one follows can be read by all.
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0 && (stats.mode & 0o077) !== 0) fchmodSync(fd, 0o600);
      return fd;
    }
    closeSync(fd);
    const what = ours || !stats.isFile() ? 'not a regular file with one name' : 'a file of another user';
    throw new LogError(`${this.name}/${file} is ${what}; nothing is written to it`);
  }

  /** How full the file system is: blocks in all and blocks used, of so many bytes. */
  space(): { blocks: number; used: number; blockBytes: number } {
    const { blocks, bfree, bsize } = statfsSync(this.path('.'));
    return { blocks, used: blocks - bfree, blockBytes: bsize };
  }
}

/** mkdir -p, for the owner alone. Not the recursive mkdirSync of Node.js 20, which never ends below a folder where nothing can be made (/proc). */
function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
