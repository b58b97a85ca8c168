import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type FileStatus, type Files, isRegular, type Space } from '../files/files.ts';

/**
 * A log directory or file is not what it was, or not what a log may be: whoever writes on would write into something
 * else.
 */
export class LogError extends Error {}

/** The host's name as a part of file names: the kernel takes any bytes for it. */
export function hostInFileName(host: string): string {
  return host.replaceAll(/[/\0]/g, '_');
}

/**
 * A directory for logs, held open. All files are opened in this very directory, whatever becomes of its name;
 * {@link check} says whether the name still leads there too.
 */
export class LogDirectory {
  /** The name it was found under, without links. */
  readonly name: string;
  readonly files: Files;
  /** Its descriptor. */
  readonly fd: number;
  readonly #identity: FileStatus;

  private constructor(files: Files, name: string, fd: number, identity: FileStatus) {
    this.files = files;
    this.name = name;
    this.fd = fd;
    this.#identity = identity;
  }

  /**
   * `make`: where the directory is missing, it is made, for its owner alone. @throws what mkdir(2) and open(2) fail
   * with.
   */
  static async open(files: Files, name: string, make: boolean): Promise<LogDirectory> {
    const path = absolutePath(name);
    const fd = await openFolder(files, path, make);
    return new LogDirectory(files, await files.nameOf(fd), fd, await files.statusOf(fd));
  }

  list(): Promise<string[]> {
    return this.files.list(this.fd);
  }

  status(file: string): Promise<FileStatus | undefined> {
    return this.files.status(this.fd, file);
  }

  /** @throws LogError when the directory was removed, or something else has its name. */
  async check(): Promise<void> {
    const found = await this.files.status(undefined, this.name);
    if (found === undefined) throw new LogError(`the log directory ${this.name} was removed`);
    if (found.device !== this.#identity.device || found.inode !== this.#identity.inode)
      throw new LogError(`the log directory ${this.name} was replaced by another file or a link`);
  }

  /**
   * Opens a file of the directory for its owner alone, never through a link.
   * @throws LogError when it is a link, or no regular file, or has a second name, or belongs to somebody else.
   */
  async open(file: string, flags: number, tries = 1): Promise<{ fd: number; status: FileStatus }> {
    let fd: number;
    try {
      // O_NONBLOCK, since opening a FIFO would wait for its reader.
      fd = await this.files.open(this.fd, file, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ELOOP')
        throw new LogError(`${this.name}/${file} is a symbolic link; nothing is written through it`);
      if (code === 'ENXIO' || code === 'EISDIR') throw new LogError(`${this.name}/${file} is not a regular file`);
      throw error;
    }
    const status = await this.files.statusOf(fd);
    const ours = status.uid === process.geteuid?.();
    if (isRegular(status) && status.links === 1 && ours) {
      // Logs of the tool that this one follows can be read by all.
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0 && (status.mode & 0o077) !== 0)
        await this.files.changeMode(fd, 0o600);
      return { fd, status };
    }
    await this.files.close(fd);
    // Removed by somebody else since it was opened: what now has the name is looked at instead.
    if (status.links === 0 && tries < MOST_TRIES) return this.open(file, flags, tries + 1);
    const what = ours || !isRegular(status) ? 'not a regular file with one name' : 'a file of another user';
    throw new LogError(`${this.name}/${file} is ${what}; nothing is written to it`);
  }

  /** How full the file system is. */
  space(): Promise<Space> {
    return this.files.space(this.fd);
  }
}

const MOST_TRIES = 5;
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY;

async function openFolder(files: Files, path: string, make: boolean): Promise<number> {
  try {
    return await files.open(undefined, path, FOLDER_FLAGS);
  } catch (error) {
    if (!make || codeOf(error) !== 'ENOENT') throw error;
  }
  await makeFolders(files, path);
  return files.open(undefined, path, FOLDER_FLAGS);
}

/** mkdir -p, for the owner alone. */
async function makeFolders(files: Files, path: string): Promise<void> {
  try {
    await files.makeFolder(path, 0o700);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    // Below a folder where nothing can be made (/proc), this fails there.
    if ((await files.status(undefined, dirname(path))) !== undefined) throw error;
    await makeFolders(files, dirname(path));
    await makeFolders(files, path);
  }
}
