import { closeSync, existsSync, constants as files, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { errnoName, lastErrno } from '../errno.ts';
import { fileSizeLimit } from '../file-size-limit.ts';
import { libcFunction } from '../libc.ts';
import { addressOf } from '../memory.ts';
import { setFileSizeLimit } from '../set-file-size-limit.ts';
import { writeAll } from '../write.ts';
import { withOwnCapabilities } from './capabilities.ts';
import { READER } from './program.ts';
import { mostWorkers } from './room.ts';

/** A running program, and our ends of its pipes. */
export interface Spawned {
  readonly pid: number;
  /** Its standard input, non-blocking. */
  readonly input: number;
  readonly output: number;
}

const CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
/** Since Linux 6.3; before that, every memfd is executable. */
const MFD_EXEC = 16;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const F_DUPFD_CLOEXEC = 1030;
/** The default limit for an unprivileged user (/proc/sys/fs/pipe-max-size). */
const PIPE_BYTES = 1 << 20;
const O_TMPFILE = 0o20000000;
/** Larger than posix_spawn_file_actions_t of glibc and of musl. */
const ACTIONS_BYTES = 256;

/**
 * Starts the reader (reader/reader.c) for the procfs at `root`. It runs from memory, because every writable file system
 * may be mounted noexec.
 * @throws Error saying what is missing
 */
export function spawnReader(root: string): Spawned {
  const [theirInput, input] = pipe();
  const [output, theirOutput] = pipe();
  try {
    const fcntl = libcFunction('int fcntl(int fd, int command, long value)');
    fcntl(input, F_SETFL, files.O_NONBLOCK | files.O_WRONLY);
    // More than the default capacity. A refusal only makes the pipes slower.
    fcntl(input, F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(output, F_SETPIPE_SZ, PIPE_BYTES);
    return { pid: start(root, theirInput, theirOutput), input, output };
  } catch (error) {
    closeSync(input);
    closeSync(output);
    throw error;
  } finally {
    closeSync(theirInput);
    closeSync(theirOutput);
  }
}

function start(root: string, stdin: number, stdout: number): number {
  if (!existsSync(OWN_DESCRIPTORS))
    throw new Error(`cannot start the reader process: there is no ${OWN_DESCRIPTORS}: mount a procfs at /proc`);
  const workers = mostWorkers();
  const words = ['kstack-reader', root, ...(workers === undefined ? [] : [`${workers}`])];
  const refusals: string[] = [];
  const folders = executableFolders();
  for (const open of [openMemory, ...folders.map((folder) => () => openUnnamed(folder))]) {
    const program = open();
    if (typeof program === 'string') {
      refusals.push(program);
      continue;
    }
    const started = spawn(`${OWN_DESCRIPTORS}/${program}`, words, stdin, stdout);
    closeSync(program);
    if (typeof started === 'number') return started;
    if (started === 'EAGAIN' || started === 'ENOMEM')
      throw new Error(`cannot start the reader process: ${started} (raise ulimit -u or pids.max of its control group)`);
    refusals.push(`cannot be executed: ${started}`);
  }
  throw new Error(
    `cannot start the reader process: a memfd ${refusals[0]}${whyNoMemory()}, and no program can be ` +
      `written and executed in ${folders.join(', ')} either; mount one of these writable and without noexec`,
  );
}

/** Its path is that of a program without a name. A chroot may have no procfs there, whatever it is to read. */
const OWN_DESCRIPTORS = '/proc/self/fd';

const NOEXEC = '/proc/sys/vm/memfd_noexec';

/** The sysctl that forbids it, and the way out: since Linux 6.3, 2 forbids programs in memory. */
function whyNoMemory(): string {
  const setting = existsSync(NOEXEC) ? readFileSync(NOEXEC, 'latin1').trim() : '0';
  return Number(setting) >= 2 ? ` (sysctl vm.memfd_noexec is ${setting}; set it to 1 or 0)` : '';
}

/** Where to try next. The file has no name, so nothing is left behind. */
const FOLDERS = ['/dev/shm', '/run', '/tmp', '/var/tmp'];

/** The last one has a program that is being executed. */
function executableFolders(): string[] {
  return [...FOLDERS, dirname(process.execPath)];
}

function bytesOfReader(): Buffer {
  const bytes = READER[process.arch];
  if (bytes === undefined) throw new Error(`kstack reads /proc on x64 and arm64 only; this is ${process.arch}`);
  return Buffer.from(bytes, 'base64');
}

/**
 * Writes the reader's program to a file. The limit on the size of files holds for those in memory, too.
 * @throws Error that names the limit if it is too low
 */
function fill(fd: number): void {
  const bytes = bytesOfReader();
  const { soft, hard } = fileSizeLimit();
  if (hard < bytes.length)
    throw new Error(
      `cannot start the reader process: no file may be larger than ${hard} bytes here (ulimit -f), and its program has ${bytes.length}; raise ulimit -f`,
    );
  if (soft < bytes.length) setFileSizeLimit({ soft: hard, hard });
  const failure = writeAll(fd, bytes);
  if (soft < bytes.length) setFileSizeLimit({ soft, hard });
  if (failure !== undefined) throw failure;
}

function openMemory(): number | string {
  const create = libcFunction('int memfd_create(const char *name, unsigned int flags)');
  let fd = create('kstack-reader', MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0 && lastErrno() === constants.errno.EINVAL) fd = create('kstack-reader', MFD_CLOEXEC);
  if (fd < 0) return `cannot be created: ${errnoName(lastErrno())}`;
  fill(fd);
  return fd;
}

function openUnnamed(folder: string): number | string {
  try {
    const fd = openSync(folder, files.O_RDWR | files.O_DIRECTORY | O_TMPFILE, 0o700);
    try {
      fill(fd);
      // A file that is open for writing cannot be executed (ETXTBSY).
      return openSync(`${OWN_DESCRIPTORS}/${fd}`, 'r');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * posix_spawn(3), which neither copies this process's memory nor runs its fork handlers. Returns the PID, or the
 * errno's name.
 */
function spawn(path: string, words: readonly string[], stdin: number, stdout: number): number | string {
  const actions = Buffer.alloc(ACTIONS_BYTES);
  libcFunction('int posix_spawn_file_actions_init(void *actions)')(actions);
  const dup2 = libcFunction('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)');
  for (const [fd, target] of [
    [stdin, 0],
    [stdout, 1],
    [stdout, 2],
  ] as const)
    dup2(actions, fd, target);
  const strings = words.map((word) => Buffer.from(`${word}\0`));
  const argv = BigUint64Array.from([...strings.map(addressOf), 0n]);
  const pid = new Int32Array(2);
  const call = libcFunction(
    'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, void *argv, void *envp)',
  );
  const failure = withOwnCapabilities(() => call(pid, path, actions, null, argv, new BigUint64Array(1)));
  libcFunction('int posix_spawn_file_actions_destroy(void *actions)')(actions);
  return failure === 0 && strings.length > 0 ? (pid[0] ?? 0) : errnoName(failure);
}

/** pipe2(2): the read end and the write end, neither of them a standard descriptor. */
function pipe(): [number, number] {
  const ends = new Int32Array(2);
  if (libcFunction('int pipe2(void *ends, int flags)')(ends, CLOEXEC) !== 0)
    throw new Error(`cannot create a pipe to the reader process: ${errnoName(lastErrno())} (raise ulimit -n)`);
  const duplicate = libcFunction('int fcntl(int fd, int command, long least)');
  const [read = -1, write = -1] = Array.from(ends, (fd) => {
    if (fd > 2) return fd;
    const above = duplicate(fd, F_DUPFD_CLOEXEC, 3);
    closeSync(fd);
    return above;
  });
  return [read, write];
}
