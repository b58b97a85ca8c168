import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, type FileStatus, type Files, isRegular, type Space } from '../files/files.ts';

/** A log directory or file was replaced, or is of a kind kstack must not write to. */
export class LogError extends Error {}

/** The host name, made safe for file names: the kernel accepts any bytes in it. */
export function hostInFileName(host: string): string {
  return host.replaceAll(/[/\0]/g, '_');
}

/**
 * A log directory, held open. All files are opened relative to its descriptor, even if the directory is renamed or
 * replaced. {@link check} tests whether its name still leads to it.
 */
export class LogDirectory {
  /** Its path, with links resolved. */
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
   * With `make`, creates a missing directory, with mode 0700.
   * @throws the errors of mkdir(2) and open(2)
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

  /** @throws LogError if the directory was removed, or its name now leads elsewhere */
  async check(): Promise<void> {
    const found = await this.files.status(undefined, this.name);
    if (found === undefined) throw new LogError(`the log directory ${this.name} was removed`);
    if (found.device !== this.#identity.device || found.inode !== this.#identity.inode)
      throw new LogError(`the log directory ${this.name} was replaced by another file or a link`);
  }

  /**
   * Opens a file in the directory, with mode 0600, never through a link.
   * @throws LogError if it is a link, not a regular file, has a second hard link, or belongs to another user
   */
  async open(file: string, flags: number, tries = 1): Promise<{ fd: number; status: FileStatus }> {
    let fd: number;
    try {
      // O_NONBLOCK: opening a FIFO would wait for its reader.
      fd = await this.files.open(this.fd, file, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ELOOP')
        throw new LogError(`${this.name}/${file} is a symbolic link; nothing is written through it`);
      if (code === 'ENXIO' || code === 'EISDIR') throw new LogError(`${this.name}/${file} is not a regular file`);
      throw error;
    }
    const status = await this.files.statusOf(fd);
    // A file that was created just now is ours, although some file systems give it another owner (NFS, vfat).
    const ours = (flags & constants.O_EXCL) !== 0 || status.uid === process.geteuid?.();
    if (isRegular(status) && status.links === 1 && ours) {
      // Logs written by the original OLED kstack are readable by everyone.
      if ((flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0 && (status.mode & 0o077) !== 0)
        await this.files.changeMode(fd, 0o600);
      return { fd, status };
    }
    await this.files.close(fd);
    // Somebody removed the file after the open: try again with whatever has its name now.
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

/** mkdir -p with mode 0700. */
async function makeFolders(files: Files, path: string): Promise<void> {
  try {
    await files.makeFolder(path, 0o700);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    // ENOENT below an existing folder: nothing can be created there (/proc), and recursing would never end.
    if ((await files.status(undefined, dirname(path))) !== undefined) throw error;
    await makeFolders(files, dirname(path));
    await makeFolders(files, path);
  }
}
