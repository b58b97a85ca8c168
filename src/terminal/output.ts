import { constants, openSync } from 'node:fs';
import { writeAll } from '../native/write.ts';
import { escapeUnsafe } from './escape.ts';

const STDOUT = 1;
const STDERR = 2;

/**
 * isatty(3). Loaded when it is first asked for: most runs do without, and in Bun it takes as long as all other modules
 * together.
 */
export function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

let stderr = STDERR;
let waitsForStderr = true;

/**
 * From here on a message that a terminal does not take at once is lost: one stopped by Ctrl-S would hold up for ever
 * what has better to do.
 */
export function neverWaitForTerminal(): void {
  if (!isTerminal(STDERR)) return;
  waitsForStderr = false;
  try {
    // Opened anew, since the flag would be there for all who share the descriptor.
    stderr = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    // The terminal has gone: writing to the descriptor there is fails at once, and waits for nothing.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

/**
 * Whether what is printed may have colours: on a terminal, unless NO_COLOR is set; anywhere where FORCE_COLOR is
 * (no-color.org, force-color.org).
 */
export function mayColour(env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return env['FORCE_COLOR'] !== '0';
  return isTerminal(STDOUT) && env['TERM'] !== 'dumb';
}

/** Standard output could not be written. `brokenPipe` says that its reader has gone. */
export class OutputError extends Error {
  readonly brokenPipe: boolean;

  constructor(cause: Error) {
    super(`cannot write to standard output: ${cause.message}`, { cause });
    this.brokenPipe = 'code' in cause && cause.code === 'EPIPE';
  }
}

/** @throws OutputError */
export function writeStdout(piece: string | Uint8Array): void {
  const failure = writeAll(STDOUT, piece);
  if (failure !== undefined) throw new OutputError(failure);
}

/**
 * Writes a message, whatever it repeats of what was typed or found made safe, line by line. Where nobody can read it (a
 * closed terminal, a pipe without a reader, a full disk) there is nobody to tell that either.
 */
export function writeStderr(text: string): void {
  writeAll(stderr, text.split('\n').map(escapeUnsafe).join('\n'), waitsForStderr);
}
