import { fstatSync } from 'node:fs';
import { describeFileSizeLimit } from '../native/file-size-limit.ts';
import { reasonOf } from '../native/reason.ts';
import { type Write, writeAll } from '../native/write.ts';
import { escapeUnsafe } from './escape.ts';

const STDOUT = 1;
const STDERR = 2;

/** Of character devices such as /dev/null: see Documentation/admin-guide/devices.txt. */
const MEMORY_DEVICES = 1;

/**
 * isatty(3). node:tty is loaded on demand: most runs do without it, and in Bun it takes as long to load as all other
 * modules together.
 */
export function isTerminal(fd: number): boolean {
  return mayBeTerminal(fd) && process.getBuiltinModule('node:tty').isatty(fd);
}

function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && (stat.rdev >> 8) % 4096 !== MEMORY_DEVICES;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

let stderr: number | Write = STDERR;
let waitsForStderr = true;
/** How many messages were dropped since the last one that was taken. */
let dropped = 0;

/**
 * From now on, a message that standard error does not take at once is dropped, and the next one tells how many were. A
 * terminal stopped by Ctrl-S, a pipe that nobody reads or a socket of a journal that hangs would otherwise block kstack
 * for good.
 * @param write writes to standard error without waiting
 */
export function neverWaitFor(write: Write): void {
  waitsForStderr = false;
  stderr = write;
}

/**
 * Whether output may be coloured: on a terminal unless NO_COLOR is set, and anywhere if FORCE_COLOR is set
 * (no-color.org, force-color.org).
 */
export function mayColour(env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return env['FORCE_COLOR'] !== '0';
  return isTerminal(STDOUT) && env['TERM'] !== 'dumb';
}

/** Writing to standard output failed. `brokenPipe`: its reader is gone. */
export class OutputError extends Error {
  readonly brokenPipe: boolean;

  constructor(cause: Error) {
    const limit = 'code' in cause && cause.code === 'EFBIG' ? describeFileSizeLimit() : undefined;
    super(`cannot write to standard output: ${limit ?? reasonOf(cause)}`, { cause });
    this.brokenPipe = 'code' in cause && cause.code === 'EPIPE';
  }
}

/** @throws OutputError */
export function writeStdout(piece: string | Uint8Array): void {
  const failure = writeAll(STDOUT, piece);
  if (failure !== undefined) throw new OutputError(failure);
}

/**
 * Writes pieces one after the other. When nobody reads them any more, it asks for no further ones and returns: what the
 * command has found out stays, and so does its exit code.
 * @throws OutputError for other failures
 */
export async function writePieces(
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of pieces) writeStdout(piece);
  } catch (error) {
    if (!(error instanceof OutputError && error.brokenPipe)) throw error;
  }
}

/**
 * Writes a message, escaped line by line, since it may quote hostile input. A failure (a closed terminal, a pipe
 * without a reader, a full disk) is ignored: there is nowhere to report it.
 */
export function writeStderr(text: string): void {
  const told = dropped === 1 ? '1 message was' : `${dropped} messages were`;
  const notice = dropped === 0 ? '' : `kstack: ${told} dropped: nobody read standard error\n`;
  const failure = writeAll(stderr, notice + text.split('\n').map(escapeUnsafe).join('\n'), waitsForStderr);
  dropped = failure === undefined ? 0 : dropped + 1;
}

/** Shows a line in place of the last one on the terminal of standard error. An empty text clears it. */
export function rewriteLine(text: string): void {
  writeAll(stderr, `\r\x1b[K${escapeUnsafe(text)}`, false);
}

/** The width of the terminal of standard output; undefined if that is none. */
export function outputColumns(): number | undefined {
  return isTerminal(STDOUT) ? columnsOf(process.stdout) : undefined;
}

/** The width of the terminal of standard error; undefined if that is none. */
export function terminalColumns(): number | undefined {
  return isTerminal(STDERR) ? columnsOf(process.stderr) : undefined;
}

function columnsOf({ columns }: NodeJS.WriteStream): number {
  // 0 is what a serial console says.
  return columns || 80;
}
